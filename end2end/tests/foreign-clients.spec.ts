// Clients that others wrote read the stream as the browser's `EventSource` does, and as our page does.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Options } from "../support/dashboard.ts";
import { Relay } from "../support/relay.ts";
import type { Simulator } from "../support/simulator.ts";
import {
  type Received,
  type StreamClient,
  browserEventSource,
  httpxSse,
  npmEventSource,
  openBlankPage,
  outline,
  ownClient,
  preparePython,
} from "../support/stream-clients.ts";
import { type Dashboard, expect, test } from "../support/test.ts";

/** A client behind a relay of its own, so that its connection can be cut. */
interface Behind {
  relay: Relay;
  client: StreamClient;
}

/** One whose connection stops in the middle of a message. */
interface Started extends Behind {
  stopped: Promise<void>;
}

type Open = (url: string) => Promise<StreamClient>;

/** All messages but heartbeats, which each stream has at its own times. */
async function messages({ client }: Behind): Promise<Received[]> {
  return (await client.received()).filter(({ data }) => !data.startsWith('{"type":"heartbeat"'));
}

/** Waits until each client has received exactly this so far. */
async function expectOutline(clients: Behind[], expected: string[]): Promise<void> {
  for (const client of clients) {
    await expect.poll(async () => outline(await messages(client)), { timeout: 30_000 }).toEqual(expected);
  }
}

/** The rows that a client holds which has read these messages. */
function rows(messages: Received[]): string[] {
  const table = new Set<string>();
  for (const said of outline(messages)) {
    if (said === "reset") table.clear();
    if (/^[+~]/.test(said)) table.add(said.slice(1));
    if (said.startsWith("-")) table.delete(said.slice(1));
  }
  return [...table].sort();
}

function nameOf(row: string): string {
  return row.split("/")[1] ?? "";
}

/** Replaces the simulator's rules of access. */
async function setRules(cluster: Simulator, rules: object[]): Promise<void> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(rules) };
  const response = await fetch(`${cluster.url}/simulator/rules`, init);
  expect(response.ok).toBe(true);
}

/** Rows in which a client may stumble: all that JSON and line ends allow in a text, and more than fits in a packet. */
async function createRows(cluster: Simulator): Promise<void> {
  await cluster.create("docs", "first");
  await cluster.create("shop", "second-row", { path: "/\u2028\u2029\u0085/ünï-🛒/\"\\/\t\u001f data: id:" });
  const hosts = Array.from({ length: 400 }, (_, number) => `host-${number}.example.com`);
  await cluster.create("shop", "third", { hosts });
}

const replayed = ["reset", "+docs/first", "+shop/second-row", "+shop/third", "synced"];

/**
 * Leads clients through a replay that is cut, changes, and a change that is cut and followed by others while they are
 * away.
 */
async function lead(cluster: Simulator, clients: Started[]): Promise<void> {
  const expected = await replay(clients);

  // One by one: changes that come together share a write and its id, or are folded, as the network has it.
  await cluster.create("shop", "cart");
  await expectOutline(clients, [...expected, "+shop/cart"]);
  await cluster.patch("shop", "cart", { spec: { ingressClassName: "traefik" } });
  await expectOutline(clients, [...expected, "+shop/cart", "~shop/cart"]);
  await cluster.delete("shop", "cart");
  expected.push("+shop/cart", "~shop/cart", "-shop/cart");
  await expectOutline(clients, expected);

  await missChanges(cluster, clients);
  expected.push("+shop/torn", "-docs/first", "~shop/third", "synced");
  await expectOutline(clients, expected);
}

/** Cuts each client in the middle of its replay, so that it begins again. Returns what the messages are, in short. */
async function replay(clients: Started[]): Promise<string[]> {
  for (const { stopped } of clients) await stopped;
  // A browser forgets what it has not handed over when the connection is cut.
  await expectOutline(clients, ["reset", "+docs/first"]);
  for (const { relay } of clients) {
    relay.cut();
    relay.release();
  }
  const expected = ["reset", "+docs/first", ...replayed];
  await expectOutline(clients, expected);
  return expected;
}

/** Cuts each client in the middle of a message, and lets it back when there is more that it has missed. */
async function missChanges(cluster: Simulator, clients: { relay: Relay }[]): Promise<void> {
  const stopped = clients.map(({ relay }) => relay.stopIn("torn.example.com"));
  await cluster.create("shop", "torn");
  await Promise.all(stopped);
  for (const { relay } of clients) relay.cut();
  await cluster.delete("docs", "first");
  await cluster.patch("shop", "third", { spec: { ingressClassName: "traefik" } });
  for (const { relay } of clients) relay.release();
}

/** Starts a client whose first connection stops in the middle of the replay. */
async function startStopping(dashboard: Dashboard, open: Open): Promise<Started> {
  const relay = await Relay.start(dashboard.port);
  const stopped = relay.stopIn("second-row.example.com");
  const client = await open(`http://127.0.0.1:${relay.port}/api/ingresses/stream?namespaces=docs,shop`);
  return { relay, stopped, client };
}

async function stop(clients: Behind[]): Promise<void> {
  for (const { client } of clients) await client.close();
  for (const { relay } of clients) await relay.stop();
}

/** A dashboard that has read what is in the cluster by now. */
async function startReady(start: (options: Options) => Promise<Dashboard>, options: Options): Promise<Dashboard> {
  const dashboard = await start(options);
  await expect.poll(() => dashboard.isReady(), { timeout: 30_000 }).toBe(true);
  return dashboard;
}

/** Each gives its way to open a stream, or why it cannot be had here. */
const others: Record<string, () => Promise<Open | { missing: string }>> = {
  "our own client": async () => ownClient,
  "the npm package eventsource": async () => npmEventSource,
  "the PyPI package httpx-sse": async () => {
    const found = await preparePython();
    return "missing" in found ? found : (url) => httpxSse(found.python, url);
  },
};

for (const [name, prepare] of Object.entries(others)) {
  test(`${name} and a browser's EventSource receive the same messages, also after cuts in the middle of one`, async ({
    context,
    cluster,
    start,
    complaints,
  }) => {
    // Packages are fetched at the first time.
    test.setTimeout(180_000);
    const open = await prepare();
    if ("missing" in open) return test.skip(true, open.missing);
    complaints.expect(/net::ERR_/);
    await createRows(cluster);
    const dashboard = await startReady(start, { kubeconfig: cluster.kubeconfig });
    const other = await startStopping(dashboard, open);
    const browser = await startStopping(dashboard, (url) => browserEventSource(context, url));

    await lead(cluster, [other, browser]);

    expect(await messages(other)).toEqual(await messages(browser));
    await stop([other, browser]);
  });
}

test("the page shows the rows that a browser's EventSource holds, also after a cut in the middle of a message", async ({
  page,
  context,
  cluster,
  start,
  ingresses,
  complaints,
}) => {
  complaints.expect(/net::ERR_/);
  await createRows(cluster);
  const dashboard = await startReady(start, { kubeconfig: cluster.kubeconfig });
  const browser = await startStopping(dashboard, (url) => browserEventSource(context, url));
  await replay([browser]);
  const relay = await Relay.start(dashboard.port);
  await ingresses.open(`http://127.0.0.1:${relay.port}/?ns=docs,shop`);
  await expect(ingresses.names).toHaveText(rows(await messages(browser)).map(nameOf));
  await ingresses.markDocument();

  await missChanges(cluster, [{ relay }, browser]);

  await expect.poll(async () => rows(await messages(browser))).toEqual(["shop/second-row", "shop/third", "shop/torn"]);
  await ingresses.isLive();
  await expect(ingresses.names).toHaveText(rows(await messages(browser)).map(nameOf));
  await expect(ingresses.row("third")).toContainText("traefik");
  expect(await ingresses.isSameDocument()).toBe(true);
  await page.close();
  await relay.stop();
  await stop([browser]);
});

test("a stream that has reached its age ends with done, and an EventSource goes on where it was", async ({
  context,
  cluster,
  start,
}) => {
  await cluster.create("docs", "first");
  const environment = { STREAM_TIMEOUT: "1000" };
  const dashboard = await startReady(start, { kubeconfig: cluster.kubeconfig, environment });

  const client = await browserEventSource(context, `${dashboard.url}api/ingresses/stream`);
  const done = () => client.received().then((all) => all.filter(({ data }) => data.startsWith('{"type":"done"')));
  await expect.poll(async () => (await done()).length, { timeout: 30_000 }).toBeGreaterThan(0);
  await cluster.create("docs", "second");

  expect(JSON.parse((await done())[0]?.data ?? "")).toMatchObject({ data: { message: "Stream closed" } });
  await expect.poll(async () => outline(await client.received())).toContain("+docs/second");
  const said = outline(await client.received());
  expect(said.filter((one) => one === "reset" || one === "+docs/first")).toEqual(["reset", "+docs/first"]);
  await client.close();
});

test("the documented example client receives what its documentation promises", async ({
  context,
  cluster,
  start,
  complaints,
}) => {
  complaints.expect(/net::ERR_/, /^error: Stream error:/);
  const tls = [{ secretName: "my-tls", hosts: ["example.com"] }];
  await cluster.create("default", "my-ingress", { hosts: ["example.com"], tls });
  await cluster.create("production", "hidden");
  await cluster.create("elsewhere", "other");
  await cluster.createNamespaces("staging");
  // `production` exists, and the account may not read it.
  await setRules(cluster, [
    { decision: "deny", resource: "ingresses" },
    { decision: "allow", resource: "ingresses", namespace: "default" },
    { decision: "allow", resource: "ingresses", namespace: "staging" },
    { decision: "allow", resource: "ingresses", namespace: "elsewhere" },
  ]);
  const dashboard = await startReady(start, { kubeconfig: cluster.kubeconfig });
  const relay = await Relay.start(dashboard.port);
  const example = readFileSync(resolve(import.meta.dirname, "../clients/documented-example.js"), "utf8");
  const page = await openBlankPage(context, `http://127.0.0.1:${relay.port}`, example);
  const heard: { said: string; data: unknown }[] = [];
  page.on("console", async (message) => {
    const [said, data] = message.args();
    heard.push({ said: await said?.jsonValue(), data: await data?.jsonValue() });
  });
  const hears = (said: string, data: unknown) =>
    expect.poll(() => heard, { timeout: 30_000 }).toContainEqual({ said, data });

  await page.evaluate("manager = new IngressStreamManager(); manager.connect(['default', 'production', 'staging'])");

  const name = "my-ingress";
  const namespace = "default";
  const backend = { service: { name, port: 8080 } };
  const rule = (host: string) => ({ host, paths: [{ path: "/", pathType: "Prefix", backend }] });
  await hears(
    "Ingress added:",
    expect.objectContaining({ name, namespace, hosts: ["example.com"], tls: true, rules: [rule("example.com")] }),
  );
  await hears("Stream error:", expect.objectContaining({ error: expect.stringMatching(/\w/), namespace: "production" }));

  const hosts = ["example.com", "www.example.com"];
  const path = { path: "/", pathType: "Prefix", backend: { service: { name, port: { number: 8080 } } } };
  const rules = hosts.map((host) => ({ host, http: { paths: [path] } }));
  await cluster.patch(namespace, name, { spec: { rules } });
  await hears(
    "Ingress modified:",
    expect.objectContaining({ name, namespace, hosts, tls: true, rules: hosts.map(rule) }),
  );
  await cluster.create("staging", "next");
  await hears("Ingress added:", expect.objectContaining({ name: "next", namespace: "staging" }));
  await cluster.delete(namespace, name);
  await hears("Ingress deleted:", { name, namespace });
  expect(heard.filter(({ data }) => JSON.stringify(data)?.includes("elsewhere"))).toEqual([]);

  // It comes back by itself, and then, as documented, for all namespaces.
  const stopped = relay.stopIn("torn.example.com");
  await cluster.create("staging", "torn");
  await stopped;
  relay.cut();
  relay.release();
  await hears("Reconnecting in 1000ms...", undefined);
  await hears("Ingress added:", expect.objectContaining({ name: "torn", namespace: "staging" }));
  await hears("Ingress added:", expect.objectContaining({ name: "other", namespace: "elsewhere" }));

  await page.evaluate("manager.disconnect()");
  await expect.poll(async () => (await (await fetch(`${dashboard.url}metrics`)).text()).match(/_streams (\d+)/)?.[1]).toBe("0");
  await page.close();
  await relay.stop();
});
