import type { Page } from "@playwright/test";
import { Proxy } from "../support/proxy.ts";
import { reservePort } from "../support/programs.ts";
import { Simulator, kubeconfigFor } from "../support/simulator.ts";
import { Ingresses, expect, test } from "../support/test.ts";

/** Notes each name that was in the table, and each change after which one of them was not. */
async function watchNames(page: Page, names: string[]): Promise<void> {
  await page.evaluate((names) => {
    const missing: string[] = [];
    const table = document.querySelector<HTMLElement>(".tablewrap");
    const look = () => {
      const shown = [...document.querySelectorAll<HTMLElement>(".tablewrap tbody tr:not([hidden]) th")];
      const there = table?.checkVisibility() ? shown.map((name) => name.textContent?.trim()) : [];
      missing.push(...names.filter((name) => !there.includes(name)));
    };
    const options = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(look).observe(document.body, options);
    Object.assign(window, { missing });
  }, names);
}

async function everMissing(page: Page): Promise<string[]> {
  return page.evaluate(() => [...new Set((window as unknown as { missing: string[] }).missing)]);
}

test("a server that is killed and comes back is said, and the page recovers with its filter and without what was deleted", async ({
  page,
  cluster,
  start,
  ingresses,
  complaints,
}) => {
  complaints.expect(/net::ERR_/);
  for (const name of ["kept-a", "kept-b", "kept-c", "deleted"]) await cluster.create("shop", name);
  await cluster.create("shop", "other");
  await cluster.create("docs", "kept-elsewhere");
  const port = await reservePort();
  const dashboard = await start({ kubeconfig: cluster.kubeconfig, port });
  await ingresses.open(`${dashboard.url}?ns=shop&q=-name:other`);
  await expect(ingresses.names).toHaveText(["deleted", "kept-a", "kept-b", "kept-c"]);
  await ingresses.markDocument();
  await watchNames(page, ["kept-a", "kept-b", "kept-c"]);

  await dashboard.kill();
  await expect(ingresses.badge).toContainText("Reconnecting");
  await expect(page).toHaveTitle(/^\(!\) Not live/);
  await expect(page.getByRole("main")).toContainText(/Attempt \d+ of 10, .*The rows are as of \d\d:\d\d:\d\d/);
  await expect(page.getByRole("button", { name: "Retry now" })).toBeVisible();
  await expect(ingresses.names).toHaveText(["deleted", "kept-a", "kept-b", "kept-c"]);

  await cluster.delete("shop", "deleted");
  await cluster.create("shop", "new");
  await start({ kubeconfig: cluster.kubeconfig, port });

  await ingresses.isLive();
  await expect(ingresses.names).toHaveText(["kept-a", "kept-b", "kept-c", "new"]);
  await expect(page).toHaveTitle("test · Ingresses");
  await expect(page.getByRole("button", { name: "Remove -name:other" })).toBeVisible();
  await expect(ingresses.pickerButton).toHaveText(/shop/);
  expect(await everMissing(page)).toEqual([]);
  expect(await ingresses.isSameDocument()).toBe(true);

  await cluster.delete("shop", "new");
  await expect(ingresses.names).toHaveText(["kept-a", "kept-b", "kept-c"]);
});

test("an idle connection that fell into a black hole turns stale, and the page recovers when it is out", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  const proxy = await Proxy.start(dashboard.port);
  await page.clock.install();
  await ingresses.open(`http://127.0.0.1:${proxy.port}/`);
  await expect(ingresses.row("cart")).toBeVisible();
  await watchNames(page, ["cart"]);

  proxy.swallow();
  await page.clock.fastForward(95_000);
  await expect(ingresses.badge).toContainText(/Stale.*no message for \d+ s/);
  await expect(page).toHaveTitle(/^\(!\) Not live/);
  await expect(page.getByRole("main")).toContainText(/No message for \d+ s\. The rows are as of \d\d:\d\d:\d\d/);
  await expect(ingresses.row("cart")).toBeVisible();

  await cluster.create("shop", "checkout");
  await page.getByRole("button", { name: "Reconnect" }).click();
  await ingresses.leave();
  // The browser may ask on a connection of the hole first, which nobody answers.
  await expect(async () => {
    await page.clock.runFor(3_000);
    await expect(ingresses.badge).toContainText(/^Live/, { timeout: 300 });
  }).toPass();
  await expect(ingresses.row("checkout")).toBeVisible();
  expect(await everMissing(page)).toEqual([]);
  await page.close();
  await proxy.stop();
});

test("a server that stands still is waited for in plain words, and the badge opens what is known", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await page.clock.install();
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();
  const icon = page.locator("link[rel=icon]");
  await expect(icon).toHaveAttribute("href", /favicon\.svg$/);

  dashboard.signal("SIGSTOP");
  await page.clock.fastForward(95_000);
  await expect(ingresses.badge).toContainText(/Stale.*no message for \d+ s/);
  await expect(icon).toHaveAttribute("href", /^data:image/);
  await page.clock.runFor(8_000);
  await expect(ingresses.badge).toContainText(/Reconnecting.*1 of 10 · waiting for an answer, \d+ s/);
  await expect(page.getByRole("main")).toContainText(/Attempt 1 of 10, waiting for an answer, \d+ s\. The rows are as of/);

  await ingresses.badge.click();
  const report = page.getByRole("dialog", { name: "Connection" });
  await expect(report).toContainText(/State\s*Reconnecting, 1 of 10/);
  await expect(report).toContainText(/Failure\s*no message from the server at \d\d:\d\d:\d\d/);
  await page.keyboard.press("Escape");
  await expect(ingresses.badge).toBeFocused();

  dashboard.signal("SIGCONT");
  await ingresses.isLive();
  await expect(icon).toHaveAttribute("href", /favicon\.svg$/);
  await ingresses.badge.click();
  await expect(report).toContainText("has a stream of its own");
  await expect(report).toContainText("1 tab shown, 1 stream");
});

test("a server that ends is said to restart until its successor is there", async ({
  page,
  cluster,
  start,
  ingresses,
  complaints,
}) => {
  complaints.expect(/net::ERR_/);
  await cluster.create("shop", "cart");
  const port = await reservePort();
  const dashboard = await start({
    kubeconfig: cluster.kubeconfig,
    port,
    environment: { DRAIN_DELAY: "0", DRAIN_TIME: "1" },
  });
  await page.clock.install();
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();

  dashboard.signal("SIGTERM");
  await expect(ingresses.badge).toContainText("Server restarting");
  await expect.poll(() => dashboard.isReady().catch(() => "away")).toBe("away");
  // Nobody answers, and it is still the restart that was announced.
  for (let second = 0; second < 15; second++) {
    await page.clock.runFor(1_000);
    await expect(ingresses.badge).toContainText("Server restarting");
  }
  await start({ kubeconfig: cluster.kubeconfig, port });
  await expect(async () => {
    await page.clock.runFor(1_000);
    await expect(ingresses.badge).toContainText(/^Live/, { timeout: 100 });
  }).toPass();
});

test("a theme that is chosen in one tab is in the others", async ({ context, page, dashboard, ingresses }) => {
  await ingresses.open(dashboard.url);
  const other = new Ingresses(await context.newPage());
  await other.open(dashboard.url);
  await ingresses.chooseTheme("Dark");
  await expect(other.page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("ten failed attempts are said to be offline, and a button starts again", async ({
  page,
  cluster,
  start,
  ingresses,
  complaints,
}) => {
  complaints.expect(/net::ERR_/);
  await cluster.create("shop", "cart");
  const port = await reservePort();
  const dashboard = await start({ kubeconfig: cluster.kubeconfig, port });
  await page.clock.install();
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();

  await dashboard.kill();
  await expect(ingresses.badge).toContainText("Reconnecting");
  await expect(async () => {
    await page.clock.runFor(5_000);
    await expect(ingresses.badge).toContainText("Offline", { timeout: 1 });
  }).toPass({ intervals: [50] });
  await expect(page.getByRole("main")).toContainText("10 attempts failed");
  await expect(page.getByRole("button", { name: "Copy details" })).toHaveAttribute(
    "data-text",
    new RegExp(`^The dashboard does not answer\nURL: ${dashboard.url}\nCause: .+\nSince: [-0-9]+T[:0-9]+Z$`),
  );
  await expect(ingresses.row("cart")).toBeVisible();

  await start({ kubeconfig: cluster.kubeconfig, port });
  await page.getByRole("button", { name: "Reconnect" }).click();
  await ingresses.leave();
  await ingresses.isLive();
});

test("the operator sets how often, how fast and how patiently a page reconnects", async ({
  page,
  cluster,
  start,
  ingresses,
  complaints,
}) => {
  complaints.expect(/net::ERR_/);
  await cluster.create("shop", "cart");
  const environment = { RECONNECT_INTERVAL: "5000", MAX_RECONNECT_ATTEMPTS: "10", RECONNECT_BACKOFF: "2" };
  const dashboard = await start({ kubeconfig: cluster.kubeconfig, environment });
  await page.clock.install();
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();
  // The clock stands still but for what is said here.
  await page.clock.pauseAt(Date.now() + 2_000);
  await ingresses.isLive();

  await dashboard.kill();
  // `min(5000 * 2^n, 30000)` and a jitter: of the first delay up to three times as much, of the others a fifth.
  for (const [n, delay] of [5, 10, 20, 30, 30, 30, 30, 30, 30, 30].entries()) {
    const countdown = new RegExp(`Reconnecting.*${n + 1} of 10 · \\d+ s`);
    await expect(ingresses.badge).toContainText(countdown);
    const text = (await ingresses.badge.textContent()) ?? "";
    const seconds = Number(/(\d+) s$/.exec(text)?.[1]);
    // The attempt fails while the clock of the step before goes on for at most two seconds.
    expect(seconds).toBeGreaterThanOrEqual(delay - 2);
    expect(seconds).toBeLessThanOrEqual(Math.ceil(delay * (n === 0 ? 4 : 1.2)) + 1);
    await page.clock.runFor((seconds + 1) * 1_000);
  }
  await expect(ingresses.badge).toContainText("Offline");
  await expect(page.getByRole("main")).toContainText("10 attempts failed");
});

test("a cluster that does not answer is named with the cause, and its rows come by themselves", async ({
  page,
  start,
  ingresses,
  complaints,
}) => {
  complaints.expect(/503 \(Service Unavailable\)/);
  const port = await reservePort();
  const url = `http://127.0.0.1:${port}`;
  const dashboard = await start({ kubeconfig: kubeconfigFor(url) });
  await page.goto(dashboard.url);
  await expect(page.getByRole("heading", { name: "The Kubernetes API does not answer" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText(url);
  const cause = page.getByText(/refused/i).first();
  await expect(cause).toBeVisible();
  // Cut off it would name nothing.
  expect(await cause.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
  await expect(ingresses.badge).toContainText("No cluster");
  await expect(page).toHaveTitle(/^\(!\) Not live/);
  await ingresses.markDocument();

  const cluster = await Simulator.start({ port });
  await cluster.create("shop", "cart");
  await expect(ingresses.row("cart")).toBeVisible({ timeout: 45_000 });
  await ingresses.isLive();
  await expect(page).toHaveTitle("test · Ingresses");
  expect(await ingresses.isSameDocument()).toBe(true);

  const end = page.locator(".tend");
  await expect(end).toHaveText("This is the only ingress in the whole cluster. A new one appears here by itself.");
  await cluster.kill();
  await expect(ingresses.badge).toContainText("Cluster lost");
  await expect(page.getByRole("main")).toContainText("The Kubernetes API does not answer.");
  // What is not followed is not called complete.
  await expect(end).toHaveText(/^1 ingress in the whole cluster as of \d\d:\d\d:\d\d\. What has changed since is not known yet\.$/);
  await expect(ingresses.row("cart")).toBeVisible();
});

test("a lost cluster says when it is tried again, and is asked at once by the button", async ({
  page,
  request,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  // Nothing but the button ends so long a wait.
  for (const operation of ["watch", "list"] as const) {
    await cluster.fail({ operation, effect: "status", status: 503, retryAfter: 3_000 });
  }
  await cluster.dropWatches();
  await expect(ingresses.badge).toContainText("Cluster lost");
  const main = page.getByRole("main");
  await expect(main).toContainText(/Next try in \d+ s\./);
  await expect(page.getByRole("button", { name: "Copy details" })).toHaveAttribute(
    "data-text",
    new RegExp(`^The Kubernetes API does not answer any more\nURL: ${cluster.url}\nCause: .*503.*\nSince: .*Z$`),
  );
  await cluster.recover();
  await page.getByRole("button", { name: "Try now" }).click();
  await ingresses.isLive();
  await expect(main).not.toContainText("Next try");

  // Everybody shares the next one, and nobody from elsewhere has any.
  const url = `${dashboard.url}api/fn/try_now`;
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const foreign = await request.post(url, { headers: { ...headers, "sec-fetch-site": "cross-site" } });
  expect(foreign.status()).toBe(403);
  const answers = async () => [
    await (await request.post(url, { headers })).json(),
    await (await request.post(url, { headers })).json(),
  ];
  await expect.poll(answers, { timeout: 30_000 }).toEqual([true, false]);
});

test.describe("where the account may not read everything", () => {
  test.use({ permissions: ["clipboard-read", "clipboard-write"] });

  test("a namespace that may not be read is named with the commands that would help, and comes by itself", async ({
    page,
    cluster,
    start,
    ingresses,
  }) => {
    await cluster.create("shop", "cart");
    await cluster.create("finance", "ledger");
    await cluster.setRules(
      { decision: "deny", resource: "ingresses" },
      { decision: "allow", resource: "ingresses", namespace: "shop" },
    );
    const dashboard = await start({ kubeconfig: cluster.kubeconfig });
    await page.goto(`${dashboard.url}?ns=finance,shop`);
    const main = page.getByRole("main");
    await expect(main).toContainText("1 of 2 namespaces not shown: finance.");
    await page.getByRole("button", { name: "How to grant" }).click();
    const account = "system:serviceaccount:simulated:viewer";
    await expect(main).toContainText(`${account} may not list and watch ingresses in finance.`);
    await expect(ingresses.badge).toContainText("1 of 2 namespaces");
    await expect(ingresses.names).toHaveText(["cart"]);
    await expect(page.locator(".tend p")).toHaveText(
      "1 ingress in finance and shop. There may be more: 1 of 2 namespaces are live.",
    );
    await expect(page.locator(".stats")).toContainText("1in 1 of 2 namespaces");
    await page.getByRole("button", { name: "Copy command" }).click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toMatch(/^kubectl -n finance create role .* --verb=get,list,watch .*\nkubectl -n finance create rolebinding .* --serviceaccount=simulated:viewer$/);
    await page.keyboard.press("Escape");

    // Nor is nothing called none.
    await cluster.delete("shop", "cart");
    await expect(main.getByRole("heading", { level: 2 })).toHaveText("No ingresses in 1 of 2 namespaces");
    await expect(main).toContainText("What the others have is not known.");
    await expect(main.getByText("kubectl -n shop create ingress")).toBeVisible();

    // One verb is enough to see nothing: it is the only one that is named.
    await cluster.createNamespaces("docs");
    await cluster.setRules({ decision: "deny", verb: "watch", resource: "ingresses" });
    await page.goto(`${dashboard.url}?ns=docs`);
    await expect(main).toContainText(`${account} may not watch ingresses in docs.`);
    await cluster.setRules({ decision: "deny", resource: "ingresses" });

    await page.goto(`${dashboard.url}?ns=finance`);
    await expect(page.getByRole("heading", { name: "The dashboard's account may not list ingresses in finance" })).toBeVisible();
    // What may not be read is neither live nor none.
    await expect(ingresses.badge).toContainText("No permission");
    await expect(page).toHaveTitle(/^\(!\) Not live/);
    await expect(page.locator(".stats")).toContainText("Ingresses–no permission");
    await expect(page.getByRole("contentinfo")).not.toContainText("0 ingresses");
    await expect(main.getByText(/create role kube-ingress-dash/).first()).toBeVisible();
    await cluster.setRules();
    await page.getByRole("button", { name: "Check again" }).click();
    await ingresses.leave();
    await expect(ingresses.names).toHaveText(["ledger"], { timeout: 45_000 });
    await ingresses.isLive();
  });
});

test("of namespaces that the dashboard is limited to, each is named that may not be read", async ({
  page,
  cluster,
  start,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await cluster.setRules({ decision: "deny", resource: "ingresses" });
  const environment = { WATCH_NAMESPACES: "shop,docs" };
  const dashboard = await start({ kubeconfig: cluster.kubeconfig, environment });
  await page.goto(dashboard.url);
  const main = page.getByRole("main");
  await expect(main.getByRole("heading", { level: 2 })).toHaveText(
    "The dashboard's account may not list ingresses in the namespaces that this dashboard shows",
  );
  for (const namespace of ["docs", "shop"]) {
    await expect(main.getByText(`kubectl -n ${namespace} create role`)).toContainText(
      `kubectl -n ${namespace} create rolebinding kube-ingress-dash --role=kube-ingress-dash --serviceaccount=simulated:viewer`,
    );
  }
  await expect(main).not.toContainText("clusterrole");
  await cluster.setRules();
  await page.getByRole("button", { name: "Check again" }).click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart"], { timeout: 45_000 });
});

test("what answers and is no Kubernetes API is not called silent", async ({ page, start, dashboard, complaints }) => {
  complaints.expect(/503 \(Service Unavailable\)/);
  // Another web server will do.
  const other = await start({ kubeconfig: kubeconfigFor(dashboard.url.replace(/\/$/, "")) });
  await page.goto(other.url);
  await expect(page.getByRole("heading", { name: "The Kubernetes API cannot be used" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText(/Kubernetes API at http:.* answered 404/);
});

test("a page without a cluster says that what it shows is simulated", async ({ page, start, ingresses }) => {
  const dashboard = await start();
  expect(dashboard.log).toContain("simulated");
  await ingresses.open(dashboard.url);
  await expect(ingresses.badge).toContainText("Live");
  await expect(ingresses.badge).toContainText("simulated");
  await expect(page.getByText("These ingresses are made up and change by themselves.")).toBeVisible();
  await page.getByRole("button", { name: "How to connect yours" }).click();
  await expect(page.getByRole("dialog", { name: "Connect your cluster" })).toContainText("KUBECONFIG");
});
