// How the table uses the room that it has: wide and narrow windows, low ones, beside the details, on paper.

import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";
import type { Ingresses } from "../support/ingresses.ts";

/** The headings that are shown, from left to right. */
const headings = (ingresses: Ingresses): Locator => ingresses.table.getByRole("columnheader").getByRole("button");

const all = ["Name", "Namespace", "Hosts", "Path and backend", "Class", "Address", "TLS", "Age"];

async function width(element: Locator): Promise<number> {
  return (await element.boundingBox())?.width ?? 0;
}

/** How many rows are whole in sight, and not below what lies over them. */
async function rowsInSight(page: Page): Promise<number> {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll<HTMLElement>(".tablewrap tbody tr[data-place]:not([hidden])")];
    const seen = rows.filter((row) => {
      const { top, bottom, left } = row.getBoundingClientRect();
      const at = document.elementFromPoint(left + 40, (top + bottom) / 2);
      return top >= 0 && bottom <= innerHeight && at !== null && row.contains(at);
    });
    return seen.length;
  });
}

test.describe("with more rows than the page holds at once", () => {
  test.use({ size: { namespaces: 10, ingresses: 300 } });

  test("the details leave every column the room that it had", async ({ page, dashboard, ingresses }) => {
    for (const [size, columns] of [
      [1280, ["Name", "Namespace", "Hosts", "TLS"]],
      [1440, ["Name", "Namespace", "Hosts", "TLS"]],
      [1920, ["Name", "Namespace", "Hosts", "Path and backend", "Class", "TLS", "Age"]],
    ] as const) {
      await page.setViewportSize({ width: size, height: 900 });
      await ingresses.open(dashboard.url);
      await ingresses.names.first().getByRole("link").click();
      await expect(page.getByRole("tab", { name: "Overview" })).toBeVisible();
      await expect(headings(ingresses)).toHaveText([...columns]);
      const hosts = ingresses.table.getByRole("columnheader", { name: "Hosts" });
      expect(await width(hosts)).toBeGreaterThan(190);
      // The last column ends where the drawer begins, or a scroll bar before it.
      const last = await headings(ingresses).last().boundingBox();
      const drawer = await page.locator("#details").boundingBox();
      const gap = (drawer?.x ?? 0) - (last?.x ?? 0) - (last?.width ?? 0);
      expect(gap).toBeGreaterThanOrEqual(0);
      expect(gap).toBeLessThan(20);
      await page.keyboard.press("Escape");
    }
  });

  test("the head of a group stays in sight, and Alt folds all groups", async ({ page, dashboard, ingresses }) => {
    await ingresses.open(`${dashboard.url}?group=class`);
    const stuck = page.locator("tr.stuck");
    const heads = ingresses.table.getByRole("rowheader").filter({ has: page.locator("[aria-expanded]") });
    await expect(heads.first()).toBeVisible();
    await expect(stuck).toHaveCount(0);
    const first = await heads.first().innerText();
    await ingresses.table.evaluate((table) => table.scrollBy(0, 500));
    await expect(stuck).toHaveText(first.replaceAll("\n", " "));
    const thead = await ingresses.table.getByRole("columnheader", { name: "Name", exact: true }).boundingBox();
    const line = await stuck.locator(".grp-line").boundingBox();
    expect(line?.y).toBe((thead?.y ?? 0) + (thead?.height ?? 0));
    expect(line?.width).toBeGreaterThan(1400);
    // The column that the head says is not said again in each row.
    await expect(headings(ingresses)).toHaveText(all.filter((name) => name !== "Class"));
    await expect(page.getByRole("contentinfo")).toContainText("Sorted by name, grouped by class");

    await stuck.getByText(/ingress/).click({ modifiers: ["Alt"] });
    await ingresses.leave();
    await page.keyboard.press(".");
    await expect(ingresses.table.locator("tbody [aria-expanded=true]")).toHaveCount(0);
    await expect(heads.first().getByRole("button")).toBeFocused();
    await heads.first().getByRole("button").click({ modifiers: ["Alt"] });
    await expect(ingresses.table.locator("tbody [aria-expanded=false]")).toHaveCount(0);
  });

  test("on paper are the rows that the page holds, and how many there are", async ({ page, dashboard, ingresses }) => {
    await ingresses.open(dashboard.url);
    await expect(page.getByRole("contentinfo")).toContainText("300 ingresses");
    await page.emulateMedia({ media: "print" });
    const sheet = await ingresses.table.boundingBox();
    expect(sheet?.height).toBeGreaterThan(900);
    await expect(page.getByText(/^Lines 1 to \d+ of 300\. /)).toBeVisible();
    await expect(page.getByRole("contentinfo")).toBeHidden();
    await page.emulateMedia({ media: "screen" });
    await expect(page.getByText(/^Lines 1 to/)).toBeHidden();
  });

  for (const [width, height] of [
    [640, 400],
    [320, 200],
    [1280, 256],
    [1440, 300],
  ] as const) {
    test(`five rows can be seen in a window of ${width} x ${height}`, async ({ page, dashboard, ingresses }) => {
      await page.setViewportSize({ width, height });
      await ingresses.open(dashboard.url);
      await page.mouse.move(width / 2, 20);
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await expect.poll(() => rowsInSight(page)).toBeGreaterThanOrEqual(5);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      // A row that a key goes to is in sight, wherever the page is.
      await page.evaluate(() => scrollTo(0, 0));
      await page.keyboard.press("End");
      await expect(ingresses.table.locator("tr:focus-within")).toBeInViewport({ ratio: 1 });
      await page.keyboard.press("Enter");
      const close = page.getByRole("button", { name: "Close (Esc)" });
      await expect(close).toBeInViewport({ ratio: 1 });
      await close.click();
      await expect(close).toHaveCount(0);
    });
  }
});

test("what floats over the table never lies over the details", async ({ page, start }) => {
  const dashboard = await start({ args: ["--demo"] });
  for (const width of [1100, 800, 390]) {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(dashboard.url);
    const name = page.locator(".tablewrap .nm").first();
    await name.click();
    const details = page.locator("#details");
    for (const part of [details.getByRole("heading").first(), details.getByRole("tab").first()]) {
      await part.click({ trial: true });
    }
    await details.getByRole("button", { name: "Close (Esc)" }).click();
    await expect(details).toHaveCount(0);
  }
});

test("columns leave by priority as the window gets narrower, and share what a wide one has", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  const path = "/a/path/that/is/rather/long/for/one";
  await cluster.create("shop", "cart", { path });
  await ingresses.open(`${dashboard.url}?sort=age`);
  const heading = (name: string) => ingresses.table.getByRole("columnheader", { name, exact: true });
  const sign = ingresses.table.getByRole("columnheader", { name: /^Name/ }).getByText("by age, newest first");
  for (const [size, columns] of [
    [1440, all],
    [1280, all.filter((name) => name !== "Address")],
    [1024, ["Name", "Namespace", "Hosts", "Path and backend", "TLS", "Age"]],
    [940, ["Name", "Namespace", "Hosts", "Path and backend", "TLS"]],
    [720, ["Name", "Namespace", "Hosts", "TLS"]],
  ] as const) {
    await page.setViewportSize({ width: size, height: 800 });
    await expect(headings(ingresses)).toHaveText([...columns]);
    expect(await ingresses.table.evaluate((table) => table.scrollWidth - table.clientWidth)).toBe(0);
    await expect(sign).toBeVisible({ visible: !columns.some((name) => name === "Age") });
    // Whatever the room, the filters are there.
    await expect(page.getByRole("button", { name: "Class", exact: true }).last()).toBeInViewport({ ratio: 1 });
  }
  // Beside the details of a small window the name says the namespace.
  await page.setViewportSize({ width: 1180, height: 800 });
  await ingresses.table.locator(".nm").first().click();
  await expect(headings(ingresses)).toHaveText(["Name", "Hosts", "TLS"]);
  const name = ingresses.table.locator(".nm").first();
  expect(await name.evaluate((name) => getComputedStyle(name, "::after").content)).toBe('"shop"');
  await page.keyboard.press("Escape");

  await page.setViewportSize({ width: 1920, height: 900 });
  await expect(headings(ingresses)).toHaveText(all);
  expect(await width(heading("Hosts"))).toBeLessThan(480);
  expect(await width(heading("Path and backend"))).toBeGreaterThan(400);
  await page.setViewportSize({ width: 2560, height: 900 });
  expect(await width(heading("Hosts"))).toBeLessThan(680);
  expect(await width(heading("Path and backend"))).toBeGreaterThan(540);
});

test("where the system forces its colours, what is chosen can still be told", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await page.emulateMedia({ forcedColors: "active" });
  await ingresses.open(dashboard.url);
  const arrows = ingresses.table.locator("thead [data-sort] .icon");
  const shown = arrows.filter({ visible: true });
  await expect(shown).toHaveCount(1);
  await ingresses.name("cart").click();
  const mark = (tab: Locator) => tab.evaluate((tab) => getComputedStyle(tab, "::after").backgroundColor);
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await mark(page.getByRole("tab", { name: "Overview" }))).not.toBe(ground);
  const dot = ingresses.badge.locator(".beat");
  expect(await dot.evaluate((dot) => getComputedStyle(dot).backgroundColor)).not.toBe(ground);
});
