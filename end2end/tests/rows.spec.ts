// What a row shows, and what pointer and keys do in it.

import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

const long = "recommendation-engine-shadow-traffic-europe-central-holdout";

const selected = (page: Page): Promise<string> => page.evaluate(() => getSelection()?.toString() ?? "");

test("a deleted row stays struck through for two seconds, then it goes", async ({ page, cluster, dashboard, ingresses }) => {
  await page.clock.install();
  await cluster.create("shop", "cart");
  await cluster.create("shop", "pay");
  await ingresses.open(dashboard.url);
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  const cart = page.locator("tr.gone", { hasText: "cart" });
  await cluster.delete("shop", "cart");
  // Its frames are the clock's.
  await expect(async () => {
    await page.clock.runFor(50);
    await expect(page.getByRole("contentinfo")).toContainText("1 ingress", { timeout: 300 });
  }).toPass();
  await expect(cart).toBeVisible();
  await page.clock.runFor(1_000);
  await expect(cart).toBeVisible();
  await page.clock.runFor(1_200);
  await expect(cart).toHaveCount(0);
  await expect(ingresses.names).toHaveText(["pay"]);
});

test("a row that is struck through when the rows are held is said to wait", async ({ page, cluster, dashboard, ingresses }) => {
  await page.clock.install();
  await cluster.create("shop", "cart");
  await cluster.create("shop", "pay");
  await ingresses.open(dashboard.url);
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  await cluster.delete("shop", "cart");
  const cart = page.locator("tr.gone", { hasText: "cart" });
  await expect(async () => {
    await page.clock.runFor(50);
    await expect(cart).toBeVisible({ timeout: 300 });
  }).toPass();
  await ingresses.row("pay").getByRole("cell", { name: "nginx" }).hover();
  await expect(page.getByRole("button", { name: "1 update waiting" })).toBeVisible();
  await page.clock.runFor(3_000);
  await expect(cart).toBeVisible();
});

test("where the row with the focus is deleted, the focus goes to the next", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) await cluster.create("shop", name);
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(ingresses.name("b")).toBeFocused();
  await cluster.delete("shop", "b");
  await expect(page.getByRole("button", { name: "1 update waiting" })).toBeVisible();
  await page.keyboard.press(".");
  await expect(ingresses.name("c")).toBeFocused();
  await cluster.delete("shop", "c");
  await expect(page.getByRole("button", { name: "1 update waiting" })).toBeVisible();
  await page.keyboard.press(".");
  await expect(ingresses.name("a")).toBeFocused();
});

test("a long name is one text, cut in its middle only where it does not fit", async ({ page, cluster, dashboard, ingresses }) => {
  const namespace = "billing-us-east-1-371-and-some-more-of-it";
  await cluster.create(namespace, long);
  await cluster.create("shop", "billing-us-east-1-371x");
  await ingresses.open(dashboard.url);
  const row = ingresses.row(long, namespace);
  for (const [text, tail] of [
    [long, "-holdout"],
    [namespace, "re-of-it"],
  ] as const) {
    const name = row.locator(".mid", { hasText: text });
    await expect(name).toHaveAttribute("data-cut");
    expect(await name.evaluate((name) => getComputedStyle(name, "::after").content)).toContain(tail);
    expect(await name.evaluate((name) => [...name.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).length)).toBe(1);
    expect(await page.evaluate((text) => (window as unknown as { find(text: string): boolean }).find(text), text)).toBe(true);
    expect(await selected(page)).toBe(text);
    await page.evaluate(() => getSelection()?.removeAllRanges());
  }
  await expect(row.getByRole("link", { name: long, exact: true })).toHaveCount(1);
  const short = ingresses.row("billing-us-east-1-371x").locator(".nm .mid");
  await expect(short).not.toHaveAttribute("data-cut");

  // With more room nothing is cut, with less more.
  await page.setViewportSize({ width: 3000, height: 800 });
  await expect(row.locator(".mid", { hasText: namespace })).toHaveAttribute("data-cut");
  await page.setViewportSize({ width: 900, height: 800 });
  await expect(short).toHaveAttribute("data-cut");
});

test("two presses select what is in a cell, one opens the details", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("billing-us-east-1", "cart");
  await ingresses.open(dashboard.url);
  await page.clock.install();
  const namespace = ingresses.row("cart").getByText("billing-us-east-1", { exact: true });
  await namespace.dblclick();
  expect(await selected(page)).toBe("billing-us-east-1");
  await page.clock.runFor(2_000);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.evaluate(() => getSelection()?.removeAllRanges());
  await namespace.click();
  await page.clock.runFor(2_000);
  await expect(ingresses.details("cart")).toBeVisible();
});

test("Tab or a second Enter goes into the details, Escape back to the row", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) {
    await cluster.create("shop", name, { hosts: [`${name}.example.com`, `www.${name}.example.com`] });
  }
  await ingresses.open(dashboard.url);
  const inside = () => page.locator("#details").evaluate((details) => details.contains(document.activeElement));
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(ingresses.details("a")).toBeVisible();
  await expect(ingresses.name("a")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect.poll(inside).toBe(true);
  await page.keyboard.press("Escape");
  await expect(ingresses.details("a")).toHaveCount(0);
  await expect(ingresses.name("a")).toBeFocused();

  await page.keyboard.press("Enter");
  await expect(ingresses.details("a")).toBeVisible();
  await page.keyboard.press("j");
  await expect(ingresses.details("b")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect.poll(inside).toBe(true);
  await page.keyboard.press("Escape");
  await expect(ingresses.name("b")).toBeFocused();
  const stops = ingresses.table.locator("tbody :is(a, button):not([tabindex='-1'])");
  await expect(stops).toHaveCount(1);
});

test("every button that is only a picture has a tooltip, with its key", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { hosts: ["a.example.com", "b.example.com"] });
  await ingresses.open(dashboard.url);
  await ingresses.row("cart").hover();
  await expect(ingresses.row("cart").getByRole("button", { name: "More", exact: true })).toBeVisible();
  const buttons = page.locator(".app :is(.hdr, .toolbar, .tablewrap) button:visible");
  const bare = await buttons.evaluateAll((buttons) =>
    buttons
      .filter((button) => button.querySelector("svg") && !(button as HTMLElement).innerText.trim() && !button.getAttribute("title"))
      .map((button) => button.outerHTML),
  );
  expect(bare).toEqual([]);
  for (const tip of ["Row density: compact (d)", "Columns (v)", "Theme (t)", "Settings (,)", "Keyboard help (?)"]) {
    await expect(page.getByTitle(tip, { exact: true })).toBeVisible();
  }
  await expect(page.getByRole("button", { name: "Group: none" })).toHaveText("Group: none");
});

test("the pointer over a row shifts and cuts nothing in it", async ({ cluster, dashboard, ingresses }) => {
  const host = "a-host-that-is-so-long-that-it-does-not-fit.example.com";
  await cluster.create("shop", "cart", { hosts: [host, "b.example.com"] });
  await ingresses.open(dashboard.url);
  await ingresses.leave();
  const link = ingresses.row("cart").getByRole("link", { name: host });
  const more = ingresses.row("cart").getByRole("button", { name: /more host/ });
  const before = [await link.boundingBox(), await more.boundingBox()];
  await ingresses.row("cart").hover();
  const copy = ingresses.row("cart").getByRole("button", { name: "Copy host" });
  await expect(copy).toBeVisible();
  expect([await link.boundingBox(), await more.boundingBox()]).toEqual(before);
  await copy.click({ trial: true });
  await more.click({ trial: true });
});

test("the browser's own search is told what it finds", async ({ page, start }) => {
  const dashboard = await start({ args: ["--demo=10x300"] });
  await page.goto(dashboard.url);
  await expect(page.getByTestId("connection")).toContainText(/^Live/);
  await page.keyboard.press("Control+f");
  await expect(page.getByRole("contentinfo")).toContainText("rows near the window only");
});

test("the edge of the drawer is dragged, and the width kept", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await ingresses.name("cart").click();
  const width = async () => (await ingresses.details("cart").boundingBox())?.width;
  await expect.poll(width).toBe(620);
  await page.mouse.move(820, 500);
  await page.mouse.down();
  await page.mouse.move(720, 500, { steps: 4 });
  await page.mouse.up();
  await expect.poll(width).toBe(720);
  await page.reload();
  await ingresses.isLive();
  await expect.poll(width).toBe(720);
});
