// The dashboard behind reverse proxies with their default settings. nginx always; others when they are named, as in
// KUBE_INGRESS_DASH_PROXIES=nginx,haproxy,caddy npx playwright test proxies

import { reservePort } from "../support/programs.ts";
import { installed, startProxy } from "../support/reverse-proxies.ts";
import { browserEventSource, outline } from "../support/stream-clients.ts";
import { type Dashboard, expect, test } from "../support/test.ts";

const names = (process.env.KUBE_INGRESS_DASH_PROXIES ?? "nginx").split(",");

/** How many streams of the dashboard began with what was missed, and how many with everything. */
async function beginnings(dashboard: Dashboard): Promise<{ resumes: number; replays: number }> {
  const metrics = await (await fetch(`${dashboard.url}metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^ingress_dash_${name}_total (\\d+)$`, "m").exec(metrics)?.[1]);
  return { resumes: value("resumes"), replays: value("replays") };
}

for (const name of names) {
  test.describe(`behind ${name}`, () => {
    test.skip(!installed(name), `${name} is not installed`);

    test(`${name} holds no change back`, async ({ context, cluster, dashboard, ingresses }) => {
      const port = await reservePort();
      const proxy = await startProxy(name, { port, target: dashboard.port });
      const origin = `http://127.0.0.1:${port}/`;
      await cluster.create("shop", "cart");
      await ingresses.open(origin);
      await expect(ingresses.names).toHaveText(["cart"]);
      const client = await browserEventSource(context, `${origin}api/ingresses/stream`);
      const said = async () => outline(await client.received()).filter((one) => one !== "heartbeat");
      await expect.poll(said).toEqual(["reset", "+shop/cart", "synced"]);

      // Each is seen before there is another one that could push it through a buffer.
      await cluster.create("shop", "checkout");
      await expect.poll(said).toEqual(["reset", "+shop/cart", "synced", "+shop/checkout"]);
      await expect(ingresses.names).toHaveText(["cart", "checkout"]);
      await cluster.delete("shop", "cart");
      await expect.poll(said).toEqual(["reset", "+shop/cart", "synced", "+shop/checkout", "-shop/cart"]);
      await expect(ingresses.names).toHaveText(["checkout"]);

      await client.close();
      await ingresses.page.close();
      await proxy.kill();
    });

    test(`${name} does not cut an idle stream`, async ({ context, cluster, dashboard }) => {
      // nginx waits for 60 s, others for longer or less. Here the limit is 20 s, so that less than a minute shows it:
      // three heartbeats, 15 s apart, are more than two such periods. What keeps a stream alive at 20 s does at 60 s.
      test.setTimeout(120_000);
      const port = await reservePort();
      const proxy = await startProxy(name, { port, target: dashboard.port, idleLimit: 20 });
      await cluster.create("shop", "cart");
      const client = await browserEventSource(context, `http://127.0.0.1:${port}/api/ingresses/stream`);
      await expect.poll(async () => outline(await client.received())).toContain("+shop/cart");

      const said = async () => outline(await client.received()).slice(-3);
      await expect.poll(said, { timeout: 100_000 }).toEqual(["heartbeat", "heartbeat", "heartbeat"]);

      expect(await client.connections?.()).toBe(1);
      await client.close();
      await proxy.kill();
    });

    test(`a restart of ${name} costs no change and no replay`, async ({
      context,
      cluster,
      dashboard,
      ingresses,
      complaints,
    }) => {
      // The proxy is away for as long as the test needs to change the cluster.
      complaints.expect(/net::ERR_/);
      const port = await reservePort();
      const way = { port, target: dashboard.port };
      const proxy = await startProxy(name, way);
      const origin = `http://127.0.0.1:${port}/`;
      for (const row of ["kept", "deleted"]) await cluster.create("shop", row);
      await ingresses.open(origin);
      await expect(ingresses.names).toHaveText(["deleted", "kept"]);
      await ingresses.markDocument();
      const client = await browserEventSource(context, `${origin}api/ingresses/stream`);
      const said = async () => outline(await client.received()).filter((one) => one !== "heartbeat");
      const replay = ["reset", "+shop/kept", "+shop/deleted", "synced"];
      await expect.poll(said).toEqual(replay);
      const { resumes, replays } = await beginnings(dashboard);

      await proxy.kill();
      await expect(ingresses.badge).toContainText("Reconnecting");
      await cluster.delete("shop", "deleted");
      await cluster.create("shop", "new");
      const restarted = await startProxy(name, way);

      await expect(ingresses.names).toHaveText(["kept", "new"], { timeout: 30_000 });
      await ingresses.isLive();
      await expect.poll(said, { timeout: 30_000 }).toEqual([...replay, "-shop/deleted", "+shop/new", "synced"]);
      expect(await ingresses.isSameDocument()).toBe(true);
      const after = await beginnings(dashboard);
      expect(after.replays).toBe(replays);
      expect(after.resumes).toBeGreaterThanOrEqual(resumes + 2);
      await client.close();
      await ingresses.page.close();
      await restarted.kill();
    });
  });
}
