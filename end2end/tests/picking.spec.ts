import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

test.use({ permissions: ["clipboard-read", "clipboard-write"] });

async function clipboard(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

test("several rows are picked with keys and pointer, and their names and commands are copied", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  for (const name of ["a", "b", "c", "d"]) await cluster.create("shop", name);
  await cluster.create("docs", "e", { hosts: ["e.example.com", "f.example.com"] });
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  const bar = page.getByRole("toolbar");
  await expect(bar).toContainText("1 picked in 1 namespace");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(ingresses.row("b").getByRole("checkbox", { name: "Pick b" })).toBeChecked();
  await ingresses.row("e").getByRole("checkbox").click();
  await expect(bar).toContainText("3 picked in 2 namespaces");

  await bar.getByRole("button", { name: "Copy names" }).click();
  await expect.poll(() => clipboard(page)).toBe("e\na\nb");
  await bar.getByRole("button", { name: "Copy hosts" }).click();
  await expect.poll(() => clipboard(page)).toBe("e.example.com\nf.example.com\na.example.com\nb.example.com");
  await bar.getByRole("button", { name: "Copy kubectl" }).click();
  await expect
    .poll(() => clipboard(page))
    .toBe("kubectl -n docs get ingress e -o yaml\nkubectl -n shop get ingress a b -o yaml");

  await cluster.delete("shop", "a");
  await expect(bar).toContainText("2 picked");
  await page.keyboard.press("Escape");
  await expect(bar).toHaveCount(0);
  await ingresses.row("b").getByRole("cell", { name: "nginx" }).click({ modifiers: ["ControlOrMeta"] });
  await ingresses.row("d").getByRole("cell", { name: "nginx" }).click({ modifiers: ["Shift"] });
  await expect(bar).toContainText("3 picked in 1 namespace");
});

test("the menu of a row copies its name, host, path, URL and command", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com"], path: "/basket", tls: [{ secretName: "cart-tls" }] });
  await ingresses.open(dashboard.url);
  for (const [item, text] of [
    ["Copy name", "cart"],
    ["Copy host", "cart.example.com"],
    ["Copy path", "/basket"],
    ["Copy URL", "https://cart.example.com/basket"],
    ["Copy kubectl command", "kubectl -n shop get ingress cart -o yaml"],
  ] as const) {
    await ingresses.row("cart").getByRole("cell", { name: "nginx" }).click({ button: "right" });
    await page.getByRole("menuitem", { name: item }).click();
    await expect.poll(() => clipboard(page)).toBe(text);
  }
  await ingresses.leave();
  await page.keyboard.press("j");
  await page.keyboard.press("Shift+F10");
  await expect(page.getByRole("menuitem", { name: "Open details" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(ingresses.details("cart")).toBeVisible();
  await page.keyboard.press("Escape");

  await page.keyboard.press("y");
  await expect.poll(() => clipboard(page)).toContain("kind: Ingress");
  await ingresses.row("cart").hover();
  await ingresses.row("cart").getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Only class nginx" }).click();
  await expect(page).toHaveURL(/[?&]q=class:nginx/);
});

test("without a clipboard the text is selected instead", async ({ page, cluster, dashboard, ingresses }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await page.keyboard.press("c");
  const text = page.getByRole("textbox", { name: "Text to copy" });
  await expect(text).toHaveValue("kubectl -n shop get ingress cart -o yaml");
  await expect(text).toBeFocused();
  expect(await page.evaluate(() => getSelection()?.toString())).toBe("kubectl -n shop get ingress cart -o yaml");
  await page.keyboard.press("Escape");
  await expect(ingresses.name("cart")).toBeFocused();
});

test("a deleted row cannot be picked, and one that was picked is said to be gone, off the bar", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  for (const name of ["a", "b", "c", "d"]) await cluster.create("shop", name);
  await ingresses.open(dashboard.url);
  // The rows are held while the keys are in them.
  for (const key of ["j", "j"]) await page.keyboard.press(key);
  await expect(ingresses.name("b")).toBeFocused();
  await cluster.delete("shop", "b");
  await expect(page.getByRole("button", { name: "1 update waiting" })).toBeVisible();
  await page.keyboard.press("x");
  const toast = page.locator(".toast");
  await expect(toast).toHaveText("The ingress is deleted");
  await expect(page.getByRole("toolbar")).toHaveCount(0);
  for (const key of ["k", "x", "Shift+ArrowDown", "Shift+ArrowDown"]) await page.keyboard.press(key);
  const bar = page.getByRole("toolbar");
  await expect(bar).toContainText("2 picked");

  await page.keyboard.press(".");
  await expect(page.getByRole("button", { name: "1 update waiting" })).toHaveCount(0);
  await cluster.delete("shop", "c");
  await expect(page.getByRole("button", { name: "1 update waiting" })).toBeVisible();
  await page.keyboard.press(".");
  await expect(toast).toHaveText("1 picked ingress is deleted");
  await expect(bar).toContainText("1 picked");
  const [line, below] = [await toast.boundingBox(), await bar.boundingBox()];
  expect(line!.y + line!.height).toBeLessThanOrEqual(below!.y);
});
