import { expect, test } from "../support/test.ts";

test("a created, changed and deleted ingress appears, changes and disappears with no reload", async ({
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();
  await ingresses.markDocument();

  await cluster.create("shop", "checkout", { hosts: ["pay.example.com"] });
  await expect(ingresses.row("checkout", "shop")).toContainText("pay.example.com");
  await expect(ingresses.table.getByText("These are all 2 ingresses")).toBeVisible();

  await cluster.patch("shop", "checkout", {
    spec: { ingressClassName: "traefik", tls: [{ secretName: "pay-tls", hosts: ["pay.example.com"] }] },
  });
  await expect(ingresses.row("checkout")).toContainText("traefik");
  await expect(ingresses.row("checkout")).toContainText("pay-tls");
  await cluster.setAddresses("shop", "checkout", [{ ip: "203.0.113.7" }]);
  await expect(ingresses.row("checkout")).toContainText("203.0.113.7");

  await cluster.delete("shop", "checkout");
  await expect(ingresses.row("checkout")).toHaveCount(0);
  await expect(ingresses.row("cart")).toBeVisible();
  expect(await ingresses.isSameDocument()).toBe(true);
});

test("the last ingress deleted leaves an empty state, and the next one replaces it", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toBeVisible();

  await cluster.delete("shop", "cart");
  await expect(page.getByRole("heading", { name: "No ingresses in the whole cluster" })).toBeVisible();
  await expect(ingresses.row("cart")).toHaveCount(0);

  await cluster.create("shop", "basket");
  await expect(ingresses.row("basket")).toBeVisible();
  await expect(page.getByRole("heading", { name: /No ingresses/ })).toHaveCount(0);
});

test("two ingresses of one name in two namespaces are two rows", async ({ cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "web", { hosts: ["a.example.com"] });
  await cluster.create("docs", "web", { hosts: ["b.example.com"] });
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("web", "docs")).toContainText("b.example.com");

  await cluster.delete("docs", "web");
  await expect(ingresses.row("web", "docs")).toHaveCount(0);
  await expect(ingresses.row("web", "shop")).toContainText("a.example.com");
});

test("rows do not move under the pointer until it leaves", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "m");
  await ingresses.open(dashboard.url);
  await ingresses.row("m").hover();

  await cluster.create("shop", "a");
  await page.getByRole("button", { name: "1 update waiting" }).waitFor();
  await expect(ingresses.names).toHaveText(["m"]);

  await page.mouse.move(1, 1);
  await expect(ingresses.names).toHaveText(["a", "m"]);
});
