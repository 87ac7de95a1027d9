// The release binary.

import { resolve } from "node:path";
import { Program, temporaryFolder } from "./programs.ts";

const binary = process.env.KUBE_INGRESS_DASH_BIN ?? resolve(import.meta.dirname, "../../target/release/kube-ingress-dash");

export interface Options {
  /** None: there is no cluster to be found. */
  kubeconfig?: string;
  /** 0 takes a free one. */
  port?: number;
  /** Further environment variables. */
  environment?: Record<string, string>;
  args?: string[];
}

/** A dashboard that listens on loopback. */
export class Dashboard {
  private constructor(
    private readonly program: Program,
    /** Where the page is, with a slash at the end. */
    readonly url: string,
  ) {}

  static async start({ kubeconfig, port = 0, environment = {}, args = [] }: Options = {}): Promise<Dashboard> {
    // A home without a kubeconfig: that of the machine is none of the tests' business.
    const home = { HOME: temporaryFolder(), ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}) };
    const ready = /listening on (http:\/\/[^\s]+)/;
    const listen = `--listen=127.0.0.1:${port}`;
    const { program, match } = await Program.start(binary, [listen, ...args], { ...home, ...environment }, ready);
    return new Dashboard(program, match[1] ?? "");
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get log(): string {
    return this.program.output;
  }

  /** Whether the cluster has been read. */
  async isReady(): Promise<boolean> {
    return (await fetch(`${this.url}readyz`)).ok;
  }

  signal(...of: Parameters<Program["signal"]>): void {
    this.program.signal(...of);
  }

  async kill(): Promise<void> {
    await this.program.kill();
  }
}
