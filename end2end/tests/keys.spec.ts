import { expect, test } from "../support/test.ts";

test("? shows every key, keeps the focus in the list and gives it back", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await expect(help).toContainText("Copy kubectl command");
  for (let step = 0; step < 5; step += 1) {
    await page.keyboard.press("Tab");
    expect(await help.evaluate((help) => help.contains(document.activeElement))).toBe(true);
  }
  await page.keyboard.press("?");
  await expect(help).toHaveCount(0);
  await expect(ingresses.name("cart")).toBeFocused();

  await page.getByRole("button", { name: "Keyboard help" }).click();
  await expect(help).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Keyboard help" })).toBeFocused();
});

test("single keys can be turned off, and stay off", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).getByRole("button", { name: "Settings" }).click();
  await page.getByRole("checkbox", { name: "Single keys" }).uncheck();
  await page.keyboard.press("Escape");
  await page.reload();
  await ingresses.isLive();
  await page.keyboard.press("n");
  await page.keyboard.press("?");
  await page.keyboard.press("ArrowDown");
  await expect(ingresses.name("cart")).toBeFocused();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a key does not wait for the focus that the key before it moves", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await cluster.create("shop", "orders");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await expect(ingresses.name("cart")).toBeFocused();
  // Both within one frame.
  await page.evaluate(() => {
    for (const key of ["j", "Enter"]) {
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }
  });
  await expect(ingresses.details("orders")).toBeVisible();
});

test("a press that closes what floats keeps the focus that it brings", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await expect(ingresses.name("cart")).toBeFocused();
  await page.keyboard.press("n");
  await expect(ingresses.picker).toBeVisible();
  await ingresses.search.click();
  await expect(ingresses.picker).toHaveCount(0);
  await page.evaluate(() => new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame))));
  await expect(ingresses.search).toBeFocused();
});
