// Clients of the stream that know nothing of the project: each only reads server-sent events and notes its messages.

import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { BrowserContext, Page } from "@playwright/test";
import { EventSource } from "eventsource";
import { Program } from "./programs.ts";

/** A message as a client hands it over. */
export interface Received {
  /** The newest id that the stream has given. */
  id: string;
  data: string;
}

const signs: Record<string, string> = { ingressAdded: "+", ingressModified: "~", ingressDeleted: "-" };

/** What messages say, in short: `+namespace/name`, `~` and `-`; the type of what is of no row. */
export function outline(messages: Received[]): string[] {
  return messages.map(({ data }) => {
    const message = JSON.parse(data);
    const sign = signs[message.type];
    return sign ? `${sign}${message.data.namespace}/${message.data.name}` : message.type;
  });
}

/** A client that reconnects by itself. */
export interface StreamClient {
  /** All it has received, on all its connections, in order. */
  received(): Promise<Received[]>;
  /** How many times it has connected, where it tells. */
  connections?(): Promise<number>;
  close(): Promise<void>;
}

/** Opens a page of this origin that is empty but for a script. */
export async function openBlankPage(context: BrowserContext, origin: string, script = ""): Promise<Page> {
  const page = await context.newPage();
  const url = new URL("blank.html", origin).href;
  const body = `<!doctype html><title>Client</title><link rel="icon" href="data:,"><script>${script}</script>`;
  await page.route(url, (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto(url);
  await page.unroute(url);
  return page;
}

/** The `EventSource` of the browser. */
export async function browserEventSource(context: BrowserContext, url: string): Promise<StreamClient> {
  const page = await openBlankPage(context, url);
  const client = await page.evaluateHandle((url) => {
    const client = { received: [] as { id: string; data: string }[], connections: 0, source: new EventSource(url) };
    client.source.onopen = () => client.connections++;
    client.source.onmessage = ({ lastEventId: id, data }) => client.received.push({ id, data });
    return client;
  }, url);
  return {
    received: () => client.evaluate(({ received }) => received),
    connections: () => client.evaluate(({ connections }) => connections),
    close: () => page.close(),
  };
}

/** The package `eventsource` of npm. */
export async function npmEventSource(url: string): Promise<StreamClient> {
  const received: Received[] = [];
  let id = "";
  const source = new EventSource(url);
  source.onmessage = ({ lastEventId, data }) => {
    // Other than a browser, it says the id of the message alone.
    id = lastEventId || id;
    received.push({ id, data });
  };
  return { received: async () => received, close: async () => source.close() };
}

const clients = resolve(import.meta.dirname, "../clients");
const environment = resolve(import.meta.dirname, "../../target/httpx-sse");

/** The package `httpx-sse` of PyPI, with the Python of `preparePython`. */
export async function httpxSse(python: string, url: string): Promise<StreamClient> {
  return printing(python, [join(clients, "httpx_sse_client.py"), url]);
}

const follow = process.env.KUBE_INGRESS_DASH_FOLLOW ?? resolve(import.meta.dirname, "../../target/debug/examples/follow");

/** The project's own: `protocol`, which the page is built on, without a page. */
export async function ownClient(url: string): Promise<StreamClient> {
  const { host, searchParams } = new URL(url);
  return printing(follow, [host, searchParams.get("namespaces") ?? ""]);
}

/** A program that prints each message as a line of JSON. */
async function printing(path: string, args: string[]): Promise<StreamClient> {
  const { program } = await Program.start(path, args, {}, /"data":/);
  // What is not JSON is a word about a lost connection; the last line may still be on its way.
  const messages = () => program.output.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return {
    received: async () => messages().map((line) => JSON.parse(line)),
    close: () => program.kill(),
  };
}

/**
 * Makes an environment with the packages of `requirements.txt`, unless there is one of exactly these.
 * Returns its Python, or why there is none.
 */
export async function preparePython(): Promise<{ python: string } | { missing: string }> {
  const run = promisify(execFile);
  const python = join(environment, "bin/python");
  const requirements = join(clients, "requirements.txt");
  const mark = join(environment, "requirements.txt");
  const wanted = await readFile(requirements, "utf8");
  if ((await readFile(mark, "utf8").catch(() => "")) === wanted) return { python };
  try {
    await rm(environment, { recursive: true, force: true });
    await mkdir(environment, { recursive: true });
    await run("python3", ["-m", "venv", environment]);
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  } catch (error) {
    return { missing: `no python3 with venv and the packages of requirements.txt: ${error}` };
  }
  // Last, so that what was interrupted is made again.
  await writeFile(mark, wanted);
  return { python };
}
