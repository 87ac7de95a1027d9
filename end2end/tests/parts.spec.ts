// The parts of the page that are loaded after its first view.

import { expect, test } from "../support/test.ts";

const parts = "**/pkg/*/split_*.wasm";
const words = "This part of the page could not be loaded.";

test.beforeEach(({ complaints }) => complaints.expect(/Failed to load resource/, /Failed to fetch/));

test("a part that cannot be loaded says so, and comes when it is tried again", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await page.route(parts, (route) => route.abort());
  await ingresses.open(dashboard.url);

  await ingresses.name("cart").click();
  await expect(page.getByRole("alert")).toContainText(words);
  await page.unroute(parts);
  await page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
  await expect(ingresses.details("cart")).toContainText("cart.example.com");
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("a popup whose part comes late takes the focus", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  await page.route(parts, async (route) => {
    await opened;
    await route.continue();
  });
  await ingresses.open(dashboard.url);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  open();
  await expect(page.getByRole("dialog")).toBeFocused();
});

test("details in the address come to life with their part", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  let refused = 0;
  await page.route(parts, (route) => ((refused += 1) === 1 ? route.abort() : route.continue()));
  await page.goto(`${dashboard.url}?sel=shop/cart`);
  await ingresses.isLive();
  await ingresses.details("cart").getByRole("tab", { name: "YAML" }).click();
  await expect(ingresses.yaml).toContainText("name: cart");
});

test("what stands in the table's place comes to life with its part, and says where it cannot be loaded", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  let refused = 0;
  await page.route(parts, (route) => ((refused += 1) === 1 ? route.abort() : route.continue()));
  await ingresses.open(dashboard.url);
  const main = page.getByRole("main");
  await expect(main).toContainText("No ingresses in the whole cluster");
  await cluster.create("shop", "cart");
  await expect(ingresses.names).toHaveText(["cart"]);

  await page.unroute(parts);
  await page.route(parts, (route) => route.abort());
  await ingresses.open(dashboard.url);
  await ingresses.search.fill("nosuch");
  await expect(page.getByRole("alert")).toContainText(words);
  await page.unroute(parts);
  await page.getByRole("alert").getByRole("button", { name: "Try again" }).click();
  await expect(main).toContainText("Nothing matches this filter");
});
