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
  await expect(ingresses.search).toHaveAttribute("aria-expanded", "false");
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

test("the changes seen since the page was opened are told, newest first", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { labels: { team: "checkout" } });
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=changes`);
  const panel = page.getByRole("tabpanel", { name: "Changes" });
  await expect(panel).toContainText("None. A change appears here by itself.");

  await cluster.patch("shop", "cart", { spec: { ingressClassName: "traefik" } });
  await expect(panel.locator("del")).toHaveText(["class: nginx"]);
  await expect(panel.locator("ins")).toHaveText(["class: traefik"]);
  await expect(panel.getByRole("listitem")).toContainText(/\d\d:\d\d:\d\d/);
  await cluster.patch("shop", "cart", { metadata: { labels: { team: null, env: "prod" } } });
  await expect(panel.getByRole("listitem").first()).toContainText("label: team=checkout");
  await expect(panel.getByRole("listitem").first()).toContainText("label: env=prod");
  await expect(page.getByRole("tab", { name: "Changes 2" })).toBeVisible();
  await cluster.patch("shop", "cart", { metadata: { annotations: { "example.com/note": "a" } } });
  // Two changes on each other's heels are one: the stream carries what is so now, not how it came about.
  await expect(panel.getByRole("listitem").first()).toContainText("annotation: example.com/note");
  await cluster.patch("shop", "cart", { metadata: { annotations: { "example.com/note": "b" } } });
  await expect(panel.getByRole("listitem").first()).toContainText("Something that the row does not show");
});

test("the YAML is coloured and downloads as it is shown", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { annotations: { "example.com/note": "50 % & more #1" } });
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=yaml`);
  await expect(ingresses.yaml).toContainText("kind: Ingress");
  await expect(ingresses.yaml.locator(".ck").filter({ hasText: /^kind$/ })).toHaveCount(1);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("shop-cart.yaml");
  const stream = await file.createReadStream();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const lines = await ingresses.yaml.locator(".l").allTextContents();
  expect(Buffer.concat(chunks).toString().trimEnd()).toBe(lines.join("\n").trimEnd());
});
