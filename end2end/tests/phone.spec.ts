import type { Locator } from "@playwright/test";
import { expect, test } from "../support/test.ts";

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true });

/** The place in the window where an element begins. */
async function top(element: Locator): Promise<number> {
  return (await element.boundingBox())?.y ?? Number.NaN;
}

/** Controls of a part of the page that a thumb would miss. */
async function small(part: Locator): Promise<string[]> {
  return part.evaluate((part) =>
    [...part.querySelectorAll("button, a.btn, summary")]
      .filter((element) => element.checkVisibility() && !element.matches(".submit"))
      .filter((element) => element.getBoundingClientRect().height < 40)
      .map((element) => element.outerHTML),
  );
}

test("the first card begins high on the screen, and one line searches and filters", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "aaa");
  await cluster.create("docs", "bbb");
  await ingresses.open(dashboard.url);
  expect(await top(ingresses.row("aaa"))).toBeLessThanOrEqual(220);
  await expect(page.locator(".kbd").filter({ visible: true })).toHaveCount(0);
  const filter = page.getByRole("button", { name: "Filter", exact: true });
  expect(await top(filter)).toBe(await top(page.locator(".field.search")));
  for (const part of [".hdr", ".toolbar"]) expect(await small(page.locator(part))).toEqual([]);

  await filter.tap();
  const sheet = page.getByRole("dialog", { name: "Filter", exact: true });
  await expect(sheet).toBeInViewport({ ratio: 1 });
  expect(await small(sheet)).toEqual([]);
  await sheet.getByRole("menuitem", { name: "Namespaces" }).tap();
  await ingresses.tick("docs");
  await ingresses.picker.getByRole("button", { name: /^Watch/ }).tap();
  await expect(ingresses.names).toHaveText(["bbb"]);
});

test("every word of a search can be read and removed", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "aaa");
  const words = ["class:nginx", "ns:shop", `name:${"a".repeat(60)}`, "-tls:yes"];
  await ingresses.open(`${dashboard.url}?q=${words.join("+")}`);
  const field = page.locator(".field.search");
  for (const word of words) {
    const remove = field.getByRole("button", { name: `Remove ${word}`, exact: true });
    await expect(remove).toBeInViewport({ ratio: 1 });
    const edge = await field.evaluate((field) => field.getBoundingClientRect().right);
    expect((await remove.boundingBox())!.x + 24).toBeLessThanOrEqual(edge);
    await remove.tap();
    await expect(remove).toHaveCount(0);
  }
  await expect(ingresses.names).toHaveText(["aaa"]);
});

test.describe("enlarged to 200 %", () => {
  test.use({ viewport: { width: 195, height: 422 } });

  test("nothing sticks out, and names keep their beginnings", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("shop", "a-name-that-is-too-long-for-it");
    await ingresses.open(dashboard.url);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    const name = page.locator("tr.r .nm .mid").filter({ hasText: "a-name" });
    expect(await name.evaluate((name) => getComputedStyle(name, "::after").content)).toBe("none");
  });
});

test("the menu of the header has the theme, the settings and the help", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "aaa");
  await ingresses.open(dashboard.url);
  await page.getByRole("button", { name: "Menu" }).tap();
  await expect(page.getByRole("menu", { name: "Menu" }).getByRole("menuitem")).toHaveText([/^Theme/, "Settings", /[Hh]elp/]);
  await page.getByRole("menuitem", { name: "Theme" }).tap();
  await page.getByRole("menuitemradio", { name: "Dark" }).tap();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("the details are all of the screen", async ({ cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "aaa");
  await ingresses.open(dashboard.url);
  await ingresses.name("aaa").tap();
  const details = ingresses.details("aaa");
  expect(await details.boundingBox()).toEqual({ x: 0, y: 0, width: 390, height: 844 });
  expect(await small(details)).toEqual([]);
  await details.getByRole("button", { name: "Close" }).tap();
  await expect(details).toHaveCount(0);
});

test("the text of a notice stands over its buttons, and what these open is inside the window", async ({ page, start, ingresses }) => {
  const dashboard = await start({ args: ["--demo=2x4"] });
  await expect.poll(() => dashboard.isReady()).toBe(true);
  await ingresses.open(dashboard.url);
  const notice = page.locator(".notice").first();
  expect((await notice.boundingBox())?.height).toBeLessThanOrEqual(56);
  await page.getByRole("button", { name: "How to connect yours" }).tap();
  await expect(page.getByRole("dialog", { name: "Connect your cluster" })).toBeInViewport({ ratio: 1 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

test("the head of a group fills its band", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "aaa");
  await ingresses.open(`${dashboard.url}?group=ns`);
  const band = page.locator("tr.grp-row").first();
  const head = band.getByRole("button", { name: /shop/ });
  expect((await head.boundingBox())?.height).toBeGreaterThan(((await band.boundingBox())?.height ?? 0) * 0.9);
});
