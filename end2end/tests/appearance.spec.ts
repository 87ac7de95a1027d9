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
  const filter = page.getByRole("button", { name: "Filter", exact: true });
  for (const part of [ingresses.badge, page.getByRole("button", { name: "Menu" }), ingresses.search, filter]) {
    await expect(part).toBeInViewport(whole);
  }

  await ingresses.name("cart").click();
  await expect(ingresses.details("cart")).toBeInViewport();
  const close = ingresses.details("cart").getByRole("button", { name: "Close" });
  await expect(close).toBeInViewport(whole);
  await close.click();

  await filter.click();
  await page.getByRole("menuitem", { name: "Namespaces" }).click();
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

test.describe("on a phone", () => {
  test.use({ size: { namespaces: 10, ingresses: 300 }, viewport: { width: 390, height: 844 }, hasTouch: true });

  test("rows are cards that show all of a row, scroll to the last one and open the details", async ({
    page,
    cluster,
    dashboard,
    ingresses,
  }) => {
    const parts = { hosts: ["aaa.example.com"], path: "/basket", tls: [{ secretName: "aaa-tls" }] };
    await cluster.create("shop", "aaa", parts);
    await cluster.create("shop", "zzz");
    await ingresses.open(dashboard.url);
    const card = ingresses.row("aaa");
    for (const text of ["shop", "aaa.example.com", "/basket", "aaa-tls"]) {
      await expect(card.getByText(text, { exact: true }).last()).toBeInViewport({ ratio: 1 });
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await ingresses.table.evaluate((table) => table.scrollWidth - table.clientWidth)).toBeLessThanOrEqual(0);

    await ingresses.table.evaluate((table) => table.scrollTo(0, table.scrollHeight));
    await expect(ingresses.row("zzz")).toBeInViewport({ ratio: 1 });
    const bottom = async () => {
      const [last, table] = [await ingresses.row("zzz").boundingBox(), await ingresses.table.boundingBox()];
      return Math.round((table?.y ?? 0) + (table?.height ?? 0) - (last?.y ?? 0) - (last?.height ?? 0));
    };
    await expect.poll(bottom).toBe(0);
    await ingresses.row("zzz").tap({ position: { x: 30, y: 100 } });
    await expect(ingresses.details("zzz")).toBeInViewport();
  });

  test("filters are a sheet at the lower edge that counts while one picks", async ({
    page,
    cluster,
    dashboard,
    ingresses,
  }) => {
    await cluster.create("shop", "aaa", { className: "only-here" });
    await ingresses.open(dashboard.url);
    await page.getByRole("button", { name: "Filter", exact: true }).tap();
    await page.getByRole("menuitem", { name: "Class" }).tap();
    const sheet = page.getByRole("dialog", { name: "Filter by Class" });
    const done = sheet.getByRole("button", { name: /^Show / });
    await expect(done).toHaveText("Show 301 ingresses");
    const edge = async () => {
      const box = await sheet.boundingBox();
      return [box?.x, box?.width, Math.round((box?.y ?? 0) + (box?.height ?? 0))];
    };
    expect(await edge()).toEqual([0, 390, 844]);
    await sheet.getByRole("checkbox", { name: "only-here" }).check();
    await expect(done).toHaveText("Show 1 ingress");
    expect((await done.boundingBox())?.height).toBeGreaterThanOrEqual(40);
    await done.tap();
    await expect(sheet).toHaveCount(0);
    await expect(ingresses.names).toHaveText(["aaa"]);
  });
});
