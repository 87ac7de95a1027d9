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

test("a narrow window shows everything that one needs", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await page.setViewportSize({ width: 390, height: 844 });
  await ingresses.open(dashboard.url);
  const whole = { ratio: 1 };
  for (const part of [ingresses.badge, ingresses.themeButton, ingresses.search, ingresses.pickerButton]) {
    await expect(part).toBeInViewport(whole);
  }

  await ingresses.name("cart").click();
  await expect(ingresses.details("cart")).toBeInViewport();
  const close = ingresses.details("cart").getByRole("button", { name: "Close" });
  await expect(close).toBeInViewport(whole);
  await close.click();

  await ingresses.pickerButton.click();
  await ingresses.tick("shop");
  await expect(ingresses.picker.getByRole("button", { name: "Watch 1 namespace" })).toBeInViewport(whole);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

test("the hosts can be read beside the details", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com"] });
  await ingresses.open(dashboard.url);
  await ingresses.name("cart").click();
  await expect(ingresses.details("cart")).toBeVisible();
  const host = await ingresses.row("cart").getByRole("link", { name: "cart.example.com" }).boundingBox();
  const drawer = await page.locator("#details").boundingBox();
  expect(host?.width).toBeGreaterThan(100);
  expect((host?.x ?? 0) + (host?.width ?? 0)).toBeLessThan(drawer?.x ?? 0);
});
