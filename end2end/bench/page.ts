// The page's figures, from a simulated cluster of 3,200 namespaces with 10,500 ingresses and with 50,000.

import type { Browser, CDPSession, Page } from "@playwright/test";
import { type Figure, type Task, memory, observeWasm, quantile, table, traced } from "../support/measure.ts";
import { Dashboard, Ingresses, expect, test } from "../support/test.ts";
import { Simulator } from "../support/simulator.ts";

const figures: Figure[] = [];

function report(what: string, value: number, unit: string, goal?: number): void {
  figures.push({ what, value, unit, ...(goal === undefined ? {} : { goal }) });
}

test.afterAll(() => {
  console.log(`\n${table(figures)}`);
});

async function live(page: Page, url: string, rows: number): Promise<Ingresses> {
  const ingresses = new Ingresses(page);
  await ingresses.open(url);
  await expect(page.getByRole("contentinfo")).toContainText(`${rows.toLocaleString("en")} ingresses`);
  return ingresses;
}

async function session(page: Page): Promise<CDPSession> {
  return page.context().newCDPSession(page);
}

/** Bytes that came over the network, by the path's end, headers included. */
async function transferred(page: Page, act: () => Promise<unknown>): Promise<Map<string, number>> {
  const client = await session(page);
  await client.send("Network.enable");
  const paths = new Map<string, string>();
  const bytes = new Map<string, number>();
  client.on("Network.responseReceived", ({ requestId, response }) => {
    paths.set(requestId, new URL(response.url).pathname.split("/").at(-1) || "document");
  });
  client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const path = paths.get(requestId) ?? "?";
    bytes.set(path, (bytes.get(path) ?? 0) + encodedDataLength);
  });
  await act();
  return bytes;
}

test.describe("10,500 ingresses", () => {
  const rows = 10_500;
  test.use({ size: { namespaces: 3200, ingresses: rows } });

  test("the first visit", async ({ page, browser, dashboard }) => {
    const bytes = await transferred(page, () => live(page, dashboard.url, rows));
    const kinds = [/^document$/, /\.css$/, /\.js$/, /^frontend_bg\.wasm$/, /\.(svg|webmanifest)$/];
    const [html = 0, css = 0, js = 0, wasm = 0, icons = 0] = kinds.map((kind) =>
      [...bytes].filter(([path]) => kind.test(path)).reduce((sum, [, size]) => sum + size, 0),
    );
    // What the document is without rows.
    const other = await (await browser.newContext()).newPage();
    const bare = await transferred(other, () => other.goto(`${dashboard.url}?q=nothing-has-this`));
    const shell = bare.get("document") ?? 0;
    await other.context().close();
    const stream = await fetch(`${dashboard.url}api/ingresses`, { headers: { "accept-encoding": "br" } });
    report("first visit: HTML without rows, CSS, JS, WASM, icons", (shell + css + js + wasm + icons) / 1e3, "kB", 250);
    report("first visit: HTML without rows", shell / 1e3, "kB");
    report("first visit: CSS", css / 1e3, "kB");
    report("first visit: JS", js / 1e3, "kB");
    report("first visit: WASM", wasm / 1e3, "kB");
    report("first visit: the first rows in the HTML", (html - shell) / 1e3, "kB");
    report("all rows as one document, JSON, not compressed", (await stream.arrayBuffer()).byteLength / 1e6, "MB");

    const plain = await browser.newContext({ javaScriptEnabled: false });
    const still = await plain.newPage();
    await still.goto(dashboard.url);
    report("first paint without a script: rows", await new Ingresses(still).rows.count(), "rows");
    await plain.close();
  });

  test("from navigation to a live table", async ({ browser, dashboard }) => {
    const visits = [];
    for (let visit = 0; visit < 7; visit += 1) visits.push(await timed(browser, dashboard.url, rows));
    report("navigation to first paint, median of 7", quantile(visits.map(({ paint }) => paint), 0.5), "ms");
    const lives = visits.map(({ live }) => live);
    report("navigation to live table with all rows, median of 7", quantile(lives, 0.5), "ms", 1000);
    report("navigation to live table with all rows, slowest of 7", quantile(lives, 1), "ms");
  });
});

test.describe("a slow line", () => {
  test.use({ size: { namespaces: 12, ingresses: 60 } });

  test("from navigation to a live table", async ({ browser, dashboard }) => {
    const visits = [];
    for (let visit = 0; visit < 5; visit += 1) visits.push(await timed(browser, dashboard.url, 60, SLOW));
    report("1.6 Mbit/s, 150 ms, 60 rows: navigation to first paint, median of 5", quantile(visits.map(({ paint }) => paint), 0.5), "ms");
    report("1.6 Mbit/s, 150 ms, 60 rows: navigation to live table, median of 5", quantile(visits.map(({ live }) => live), 0.5), "ms");
  });
});

/** What Lighthouse calls slow 4G. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 };

/** First paint and live table with all rows of a first visit, in milliseconds from its start. */
async function timed(browser: Browser, url: string, rows: number, line?: typeof SLOW): Promise<{ paint: number; live: number }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  if (line) {
    const client = await session(page);
    await client.send("Network.enable");
    await client.send("Network.emulateNetworkConditions", line);
  }
  await page.addInitScript((rows) => {
    const look = () => {
      const live = document.querySelector("[data-testid=connection]")?.textContent?.startsWith("Live");
      const count = document.querySelector(".tablewrap table")?.getAttribute("aria-rowcount");
      if (live && count === String(rows + 1)) Object.assign(globalThis, { liveAt: performance.now() });
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, rows);
  await page.goto(url);
  const at = await page.waitForFunction(() => (globalThis as { liveAt?: number }).liveAt);
  const live = (await at.jsonValue()) ?? Number.NaN;
  const paint = await page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
  );
  await context.close();
  return { paint, live };
}

test("1,000 changes per second for 10 s at 10,500 ingresses", async ({ page }) => {
  /** Scrolls for 10 s while rows change. */
  const scroll = async (churn: number) => {
    const cluster = await Simulator.start({ namespaces: 3200, ingresses: 10_500, churn });
    const dashboard = await Dashboard.start({ kubeconfig: cluster.kubeconfig });
    await expect.poll(() => dashboard.isReady()).toBe(true);
    const ingresses = new Ingresses(page);
    await ingresses.open(dashboard.url);
    await ingresses.leave();
    const changes = async () => {
      const text = await (await fetch(`${dashboard.url}metrics`)).text();
      return Number(/ingress_dash_encodings_total (\d+)/.exec(text)?.[1] ?? Number.NaN);
    };
    const before = await changes();
    const { tasks } = await traced(page, () => page.evaluate(scrollFor, 10_000));
    const scrolled = await page.evaluate(() => (globalThis as unknown as { scrolled: Scrolled }).scrolled);
    const changed = (await changes()) - before;
    await page.goto("about:blank");
    await dashboard.kill();
    await cluster.kill();
    return { ...scrolled, tasks, changed };
  };
  const calm = await scroll(0);
  report("scrolling without changes: frames per second", calm.frames / 10, "Hz");
  report("scrolling without changes: between two frames, p99", quantile(calm.gaps, 0.99), "ms");
  const { frames, gaps, tasks, changed } = await scroll(1000);
  report("1,000 changes/s: changes with the start and end of the trace", changed, "rows");
  report("1,000 changes/s: tasks over 50 ms", tasks.filter((task) => task.duration > 50).length, "tasks", 0);
  report("1,000 changes/s: longest task", Math.max(...tasks.map((task) => task.duration)), "ms", 50);
  report("1,000 changes/s: longest task, processor time", Math.max(...tasks.map((task) => task.processor)), "ms", 50);
  report("1,000 changes/s: frames per second while scrolling", frames / 10, "Hz");
  report("1,000 changes/s: between two frames, p99", quantile(gaps, 0.99), "ms", 34);
  report("1,000 changes/s: main thread busy", tasks.reduce((sum, task) => sum + task.processor, 0) / 100, "%");
});

interface Scrolled {
  frames: number;
  gaps: number[];
}

/** Scrolls the table down, a little each frame, and notes when frames came. */
function scrollFor(ms: number): Promise<void> {
  const table = document.querySelector(".tablewrap");
  const gaps: number[] = [];
  return new Promise((done) => {
    let [start, last] = [0, 0];
    const step = (now: number) => {
      start ||= now;
      if (last) gaps.push(now - last);
      last = now;
      table?.scrollBy(0, 12);
      if (now - start < ms) return void requestAnimationFrame(step);
      Object.assign(globalThis, { scrolled: { frames: gaps.length, gaps } });
      done();
    };
    requestAnimationFrame(step);
  });
}

test.describe("50,000 ingresses", () => {
  const rows = 50_000;
  test.use({ size: { namespaces: 3200, ingresses: rows } });

  test("keys in the search", async ({ page, dashboard }) => {
    const { search } = await live(page, dashboard.url, rows);
    await search.focus();
    // The first key finds cold caches.
    for (const word of ["a", ""]) {
      await search.fill(word);
      await page.waitForTimeout(1000);
    }
    const { tasks, keys } = await traced(page, async () => {
      for (const key of [..."web.example", ..."Backspace ".repeat(3).trim().split(" ")].flat()) {
        await page.keyboard.press(key);
        await page.waitForTimeout(600);
      }
    });
    const within = (key: number, ms: number) =>
      tasks.filter((task) => task.start + task.duration > key && task.start < key + ms);
    const handled = keys.map((key) => Math.max(...within(key, 1).map((task) => task.processor)));
    const sum = (tasks: Task[]) => tasks.reduce((sum, task) => sum + task.processor, 0);
    // Up to the frame that shows it.
    const shown = keys.map((key) => sum(within(key, 50)));
    const caused = keys.map((key) => within(key, 500));
    report("key at 50,000 rows: its task, processor time, median", quantile(handled, 0.5), "ms", 16);
    report("key at 50,000 rows: its task, processor time, slowest", quantile(handled, 1), "ms", 16);
    report("key at 50,000 rows: main thread in the next 50 ms, median", quantile(shown, 0.5), "ms");
    report("key at 50,000 rows: main thread in the next 500 ms, median", quantile(caused.map(sum), 0.5), "ms");
    const longest = caused.map((tasks) => Math.max(...tasks.map((task) => task.duration)));
    report("key at 50,000 rows: longest task in the next 500 ms", quantile(longest, 1), "ms");
  });

  test("memory, and an hour's worth of changes", async ({ page, cluster, dashboard }) => {
    await observeWasm(page);
    await live(page, dashboard.url, rows);
    const client = await session(page);
    const at = async (when: string, goal?: number) => {
      const { js, wasm } = await memory(page, client);
      report(`memory at 50,000 rows, ${when}: JS and WASM`, (js + wasm) / 1e6, "MB", goal);
      report(`memory at 50,000 rows, ${when}: JS alone`, js / 1e6, "MB");
      return js + wasm;
    };
    await at("at the start", 150);
    const { items } = (await (await fetch(`${dashboard.url}api/ingresses?limit=5000`)).json()) as {
      items: { namespace: string; name: string }[];
    };
    /** One change a second, for an hour: deletes and creations, and many changes of few rows. */
    const hour = async (round: number) => {
      for (let second = 0; second < 3600; second += 1) {
        const item = items[(second * 7919 + round) % items.length];
        if (!item) continue;
        const { namespace, name } = item;
        if (second % 10 === 0) {
          await cluster.create(namespace, `made-${round}-${second}`);
        } else if (second % 10 === 5) {
          await cluster.delete(namespaceOf(second - 5), `made-${round}-${second - 5}`);
        } else {
          await cluster.patch(namespace, name, { metadata: { labels: { change: `${round}-${second}` } } });
        }
      }
      function namespaceOf(second: number): string {
        return items[(second * 7919 + round) % items.length]?.namespace ?? "";
      }
      const last = `last-${round}`;
      await cluster.create("shop", last);
      const seen = async () => (await (await fetch(`${dashboard.url}api/ingresses?search=name:${last}`)).json()).total;
      await expect.poll(seen).toBe(1);
      await expect(page.getByRole("contentinfo")).toContainText(`${(rows + round).toLocaleString("en")} ingresses`);
    };
    await hour(1);
    const one = await at("after an hour", 150);
    await hour(2);
    await hour(3);
    const three = await at("after three hours", 150);
    report("memory at 50,000 rows: growth between hour one and three", (three - one) / 1e6, "MB", 1);
  });
});
