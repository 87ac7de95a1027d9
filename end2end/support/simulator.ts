// A simulated cluster on a port, changed through its Kubernetes API as `kubectl` would.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Program, temporaryFolder } from "./programs.ts";

const binary =
  process.env.KUBE_INGRESS_DASH_SIMULATOR ?? resolve(import.meta.dirname, "../../target/debug/examples/serve");

/** Any JSON object. */
export type Json = Record<string, unknown>;

export interface Size {
  namespaces?: number;
  ingresses?: number;
  /** Changes per second. */
  churn?: number;
  port?: number;
}

/** An API server in memory. */
export class Simulator {
  private constructor(
    private readonly program: Program,
    readonly url: string,
    /** The path of a kubeconfig for it. */
    readonly kubeconfig: string,
  ) {}

  /** An empty cluster where nothing changes by itself, unless a size says otherwise. */
  static async start({ namespaces = 0, ingresses = 0, churn = 0, port = 0 }: Size = {}): Promise<Simulator> {
    const args = [
      `--listen=127.0.0.1:${port}`,
      `--namespaces=${namespaces}`,
      `--ingresses=${ingresses}`,
      `--churn=${churn}`,
    ];
    const ready = /server: '(http:\/\/[^']+)'[^]*contexts:.*\n/;
    const { program, match } = await Program.start(binary, args, {}, ready);
    return new Simulator(program, match[1] ?? "", kubeconfigFor(match[1] ?? ""));
  }

  async kill(): Promise<void> {
    await this.program.kill();
  }

  async createNamespaces(...names: string[]): Promise<void> {
    for (const name of names) await this.request("POST", "/api/v1/namespaces", { metadata: { name } });
  }

  /** Creates an ingress, and its namespace where that is missing. */
  async create(namespace: string, name: string, parts: Parts = {}): Promise<void> {
    const { metadata, spec } = manifest(namespace, name, parts);
    const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`;
    const body = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec };
    const response = await this.send("POST", path, body);
    if (response.status !== 404) return accept(response);
    await this.createNamespaces(namespace);
    await this.request("POST", path, body);
  }

  /** Applies a merge patch. */
  async patch(namespace: string, name: string, patch: Json): Promise<void> {
    await this.request("PATCH", ingress(namespace, name), patch);
  }

  async setAddresses(namespace: string, name: string, addresses: Json[]): Promise<void> {
    const patch = { status: { loadBalancer: { ingress: addresses } } };
    await this.request("PATCH", `${ingress(namespace, name)}/status`, patch);
  }

  async delete(namespace: string, name: string): Promise<void> {
    await this.request("DELETE", ingress(namespace, name));
  }

  /** Who may do what; later rules win, and without any everything is allowed. */
  async setRules(...rules: { decision: "allow" | "deny"; verb?: string; resource: string; namespace?: string }[]): Promise<void> {
    await this.control("POST", "rules", rules);
  }

  /** Lets requests fail from now on; later faults join earlier ones. */
  async fail(fault: Fault): Promise<void> {
    await this.control("POST", "faults", fault);
  }

  /** Ends all faults. */
  async recover(): Promise<void> {
    await this.control("DELETE", "faults");
  }

  /** Breaks every open watch. */
  async dropWatches(): Promise<void> {
    await this.control("POST", "drop-watches");
  }

  private async control(method: string, what: string, body?: unknown): Promise<void> {
    const init: RequestInit = { method, headers: { "content-type": "application/json" } };
    if (body) init.body = JSON.stringify(body);
    await accept(await fetch(`${this.url}/simulator/${what}`, init));
  }

  private async request(method: string, path: string, body?: Json): Promise<void> {
    await accept(await this.send(method, path, body));
  }

  private send(method: string, path: string, body?: Json): Promise<Response> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const init: RequestInit = { method, headers: { "content-type": type } };
    if (body) init.body = JSON.stringify(body);
    return fetch(this.url + path, init);
  }
}

/** What fails, and how (`simulator/src/faults.rs`). */
export interface Fault {
  operation: "list" | "watch";
  resource?: string;
  effect: "status" | "hang" | "stall";
  status?: number;
  /** Seconds. */
  retryAfter?: number;
}

/** What an ingress is made of; what is left out is ordinary. */
export interface Parts {
  hosts?: string[];
  className?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  path?: string;
  service?: string;
  tls?: { secretName?: string; hosts?: string[] }[];
  /** Replaces the whole spec. */
  spec?: Json;
}

function manifest(namespace: string, name: string, parts: Parts): { metadata: Json; spec: Json } {
  const { hosts = [`${name}.example.com`], className = "nginx", labels = {}, annotations = {}, tls = [] } = parts;
  const { path = "/", service = name } = parts;
  const backend = { service: { name: service, port: { number: 8080 } } };
  const rules = hosts.map((host) => ({ host, http: { paths: [{ path, pathType: "Prefix", backend }] } }));
  const spec = parts.spec ?? { ingressClassName: className, rules, tls };
  return { metadata: { namespace, name, labels, annotations }, spec };
}

function ingress(namespace: string, name: string): string {
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`;
}

async function accept(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}

/** Writes a kubeconfig for an API server at this URL, whether it answers or not. */
export function kubeconfigFor(url: string): string {
  const path = join(temporaryFolder(), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server: url } }],
    users: [{ name: "viewer", user: {} }],
    contexts: [{ name: "test", context: { cluster: "test", user: "viewer" } }],
  };
  // Every JSON document is YAML.
  writeFileSync(path, JSON.stringify(config));
  return path;
}
