import { expect, test } from "../support/test.ts";

test("details follow their ingress, with the YAML of the object as it is", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", {
    hosts: ["cart.example.com", "basket.example.com"],
    labels: { team: "checkout" },
    annotations: { "example.com/note": "first" },
  });
  await ingresses.open(dashboard.url);
  await ingresses.name("cart").click();

  const details = ingresses.details("cart");
  await expect(details.getByRole("tabpanel")).toContainText("basket.example.com");
  await expect(page).toHaveURL(/[?&]sel=shop\/cart/);
  await details.getByRole("tab", { name: "Labels" }).click();
  await expect(details.getByRole("tabpanel")).toContainText("checkout");
  await details.getByRole("tab", { name: "YAML" }).click();
  const { yaml } = ingresses;
  await expect(yaml).toContainText("kind: Ingress");
  await expect(yaml).toContainText("example.com/note: first");
  await expect(yaml).not.toContainText("managedFields");

  await cluster.patch("shop", "cart", { metadata: { annotations: { "example.com/note": "second" } } });
  await expect(yaml).toContainText("example.com/note: second");

  await cluster.delete("shop", "cart");
  await expect(details).toContainText(/Deleted at \d\d:\d\d:\d\d/);
  await expect(yaml).toContainText("example.com/note: second");
});

test("an address with a selection opens its details, and back closes them", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=yaml`);
  await expect(ingresses.yaml).toContainText("name: cart");

  await ingresses.open(dashboard.url);
  await ingresses.name("cart").click();
  await expect(ingresses.details("cart")).toBeVisible();
  await page.goBack();
  await expect(ingresses.details("cart")).toHaveCount(0);
});

test("the keys move, open and close, and the focus returns", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) await cluster.create("shop", name);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["a", "b", "c"]);

  await page.keyboard.press("/");
  await expect(ingresses.search).toBeFocused();
  await page.keyboard.type("jk/");
  await expect(ingresses.search).toHaveValue("jk/");
  await page.keyboard.press("Escape");
  await expect(ingresses.search).toHaveValue("");
  await ingresses.search.blur();

  await page.keyboard.press("j");
  await expect(ingresses.name("a")).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(ingresses.name("c")).toBeFocused();
  await page.keyboard.press("k");
  await expect(ingresses.name("b")).toBeFocused();

  await page.keyboard.press("Enter");
  await expect(ingresses.details("b")).toBeVisible();
  await page.keyboard.press("j");
  await expect(ingresses.details("c")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("tablist")).toHaveCount(0);
  await expect(ingresses.name("c")).toBeFocused();

  await page.keyboard.press("n");
  await expect(ingresses.picker.getByRole("searchbox")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(ingresses.picker).toHaveCount(0);
  await expect(ingresses.name("c")).toBeFocused();
});

test("the list of rows is one tab stop", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) await cluster.create("shop", name);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["a", "b", "c"]);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(ingresses.name("b")).toBeFocused();
  for (const name of ["a", "c"]) await expect(ingresses.name(name)).toHaveAttribute("tabindex", "-1");
  await expect(ingresses.name("b")).toHaveAttribute("tabindex", "0");
});
