import type { BrowserContext, Page } from "@playwright/test";
import type { Dashboard } from "../support/dashboard.ts";
import { Ingresses, expect, test } from "../support/test.ts";

/** A name of this machine that a browser does not call secure. */
const elsewhere = "dashboard.test";

// One after the other: together their tabs would be more than a small machine draws in time.
test.describe.configure({ mode: "default" });

test.use({
  // A trace has a film of each tab, which costs more than the tabs.
  trace: "off",
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), `--host-resolver-rules=MAP ${elsewhere} 127.0.0.1`] });
  },
});

/** How many streams the server has. */
async function streams(dashboard: Dashboard): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${dashboard.port}/metrics`)).text();
  return Number(/^ingress_dash_streams (\d+)$/m.exec(metrics)?.[1]);
}

/**
 * Notes the most streams that the server has at one time, until it is asked. A browser has closed a stream a moment
 * before the server knows, on a busy machine longer: what counts is what is there for half a second.
 */
function mostStreams(dashboard: Dashboard): () => Promise<number> {
  let ended = false;
  const watching = (async () => {
    let most = 0;
    let last = [0, 0, 0, 0, 0];
    while (!ended) {
      last = [...last.slice(1), await streams(dashboard)];
      most = Math.max(most, Math.min(...last));
      // Asked without a pause, the server and this process would take the tabs' share of the machine.
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return most;
  })();
  return () => {
    ended = true;
    return watching;
  };
}

/** Opens tabs, each of which shows this row before the next one is opened. */
async function openTabs(context: BrowserContext, url: string, count: number, row: string): Promise<Ingresses[]> {
  const tabs: Ingresses[] = [];
  while (tabs.length < count) {
    const tab = new Ingresses(await context.newPage());
    await tab.open(url);
    await expect(tab.row(row)).toBeVisible();
    tabs.push(tab);
  }
  return tabs;
}

/** A headless browser shows all its pages: what a page reads of it is set, and the event sent. */
async function setVisibility(page: Page, state: "visible" | "hidden"): Promise<void> {
  await page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, state);
}

const takesTurns = /^Live.*every few seconds/;

test("twenty visible tabs load, each shows a change, and together they have four streams", async ({
  context,
  cluster,
  dashboard,
}) => {
  test.setTimeout(180_000);
  await cluster.create("shop", "cart");
  const most = mostStreams(dashboard);
  const tabs = await openTabs(context, dashboard.url, 20, "cart");

  await cluster.create("shop", "checkout");
  for (const tab of tabs) await expect(tab.row("checkout")).toBeVisible();
  await expect(tabs[0]!.badge).toContainText(takesTurns);
  await expect(tabs[19]!.badge).not.toContainText(takesTurns);

  // Nor does another page wait for them, or a request of one that takes turns.
  await openTabs(context, dashboard.url, 1, "checkout");
  await tabs[0]!.name("cart").click();
  await tabs[0]!.page.getByRole("tab", { name: "YAML" }).click();
  await expect(tabs[0]!.yaml).toContainText("name: cart");

  // A change reaches those too that were there from the start.
  await cluster.delete("shop", "checkout");
  for (const tab of tabs) await expect(tab.row("checkout")).toHaveCount(0);
  for (const tab of tabs) await tab.isLive();
  expect(await most()).toBeLessThanOrEqual(4);
});

test("of five tabs the one looked at last has a stream of its own, in another scope too", async ({
  context,
  cluster,
  dashboard,
}) => {
  await cluster.create("shop", "cart");
  await cluster.create("docs", "guide");
  const tabs = await openTabs(context, dashboard.url, 5, "cart");
  const [first, second] = [tabs[0]!, tabs[1]!];
  await expect(first.badge).toContainText(takesTurns);
  await expect(second.badge).toContainText(takesTurns);

  // Another choice of namespaces does not wait for a stream.
  await first.pickerButton.click();
  await first.tick("docs");
  await first.picker.getByRole("button", { name: /^Watch/ }).click();
  await expect(first.names).toHaveText(["guide"]);
  await expect(first.badge).toContainText(takesTurns);
  await cluster.create("docs", "reference");
  await expect(first.row("reference")).toBeVisible();

  await first.page.evaluate(() => dispatchEvent(new Event("focus")));
  await expect(first.badge).toContainText(/^Live/);
  await expect(first.badge).not.toContainText(takesTurns);
  await cluster.delete("docs", "reference");
  await expect(first.row("reference")).toHaveCount(0);
  expect(await streams(dashboard)).toBeLessThanOrEqual(4);
});

test("a hidden tab gives its stream back within seconds and has missed nothing when it is shown", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await page.clock.install();
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();
  await expect.poll(() => streams(dashboard)).toBe(1);

  await setVisibility(page, "hidden");
  await page.clock.runFor(6_000);
  await expect.poll(() => streams(dashboard)).toBe(0);
  await expect(page).not.toHaveTitle(/Not live/);

  await cluster.create("shop", "checkout");
  await cluster.delete("shop", "cart");
  await setVisibility(page, "visible");
  await expect(ingresses.names).toHaveText(["checkout"]);
  await ingresses.isLive();
});

test("a tab that is killed leaves its place to the others", async ({ context, cluster, dashboard, complaints }) => {
  complaints.expect(/crash/i);
  await cluster.create("shop", "cart");
  const tabs = await openTabs(context, dashboard.url, 5, "cart");
  await expect(tabs[0]!.badge).toContainText(takesTurns);

  const last = tabs.pop()!;
  const crashed = last.page.waitForEvent("crash");
  const session = await context.newCDPSession(last.page);
  session.send("Page.crash").catch(() => {});
  await crashed;
  for (const tab of tabs) {
    await expect(tab.badge).not.toContainText(takesTurns, { timeout: 30_000 });
    await tab.isLive();
  }
  await expect.poll(() => streams(dashboard)).toBe(4);
});

test("tabs share streams where the browser calls the page not secure", async ({ context, cluster, start, complaints }) => {
  complaints.expect(/Cross-Origin-Opener-Policy header has been ignored/);
  await cluster.create("shop", "cart");
  const dashboard = await start({ kubeconfig: cluster.kubeconfig, environment: { ALLOWED_HOSTS: elsewhere } });
  await expect.poll(() => dashboard.isReady(), { timeout: 30_000 }).toBe(true);
  const most = mostStreams(dashboard);
  const tabs = await openTabs(context, `http://${elsewhere}:${dashboard.port}/`, 8, "cart");
  expect(await tabs[0]!.page.evaluate(() => isSecureContext)).toBe(false);
  await cluster.create("shop", "checkout");
  for (const tab of tabs) await expect(tab.row("checkout")).toBeVisible();
  expect(await most()).toBeLessThanOrEqual(4);
});
