import { expect, test } from "../support/test.ts";

test.use({ colorScheme: "light" });

test("a chosen theme is kept over a reload, without a flash of the other", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  const root = page.locator("html");
  const background = () => root.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await expect(root).not.toHaveAttribute("data-theme");

  await ingresses.chooseTheme("Dark");
  await expect(root).toHaveAttribute("data-theme", "dark");
  const dark = await background();
  expect(dark).not.toBe(light);

  // Every frame of the next document, from its first.
  await page.addInitScript(() => {
    const seen = new Set<string>();
    Object.assign(window, { seen });
    const look = () => {
      if (document.body) seen.add(getComputedStyle(document.body).backgroundColor);
      requestAnimationFrame(look);
    };
    look();
  });
  await page.reload();
  await ingresses.isLive();
  const seen = await page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
  expect(seen).toEqual([dark]);

  await ingresses.chooseTheme("Light");
  await expect(root).toHaveAttribute("data-theme", "light");
  expect(await background()).toBe(light);
  await ingresses.chooseTheme("Like the system");
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await background()).toBe(dark);
});

test("the density is kept over a reload", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  const height = async () => (await ingresses.row("cart").boundingBox())?.height;
  const compact = await height();
  await page.getByRole("button", { name: "Row density: compact" }).click();
  await expect(page.getByRole("button", { name: "Row density: default" })).toBeVisible();
  expect(await height()).toBeGreaterThan(compact ?? 0);
  await page.reload();
  await ingresses.isLive();
  expect(await height()).toBeGreaterThan(compact ?? 0);
});

test("a narrow window scrolls nothing but the table", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await page.setViewportSize({ width: 390, height: 844 });
  await ingresses.open(dashboard.url);
  await expect(ingresses.name("cart")).toBeInViewport();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});
