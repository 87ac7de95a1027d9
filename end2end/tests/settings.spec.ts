import { expect, test } from "../support/test.ts";

test("namespaces and labels are left out on every visit, in sight, and are taken back for a moment or for good", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("kube-system", "internal");
  await cluster.create("shop", "cart");
  await cluster.create("shop", "trial", { labels: { tier: "test" } });
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["cart", "internal", "trial"]);

  await page.getByRole("button", { name: "Settings" }).click();
  const settings = page.getByRole("dialog", { name: "Settings" });
  await settings.getByRole("textbox", { name: "Namespaces left out" }).fill("kube-*");
  await page.keyboard.press("Enter");
  await settings.getByRole("textbox", { name: "Labels left out" }).fill("tier=test");
  await settings.getByRole("button", { name: "Leave out" }).last().click();
  await expect(settings.getByRole("listitem")).toHaveText(["kube-*", "tier=test"]);
  await page.keyboard.press("Escape");
  await expect(ingresses.names).toHaveText(["cart"]);
  await expect(page).toHaveURL(/\?q=-ns:kube-\*\+-label:tier%3Dtest$/);

  // Another visit starts with it, in the server's own markup.
  const markup = await (await page.request.get(dashboard.url)).text();
  expect(markup).toContain("cart");
  expect(markup).not.toContain("internal");
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["cart"]);

  // For a moment: the address says so, and a reload keeps it.
  await page.getByRole("button", { name: "Remove -ns:kube-*" }).click();
  await expect(ingresses.names).toHaveText(["cart", "internal"]);
  await page.getByRole("button", { name: "Remove -label:tier=test" }).click();
  await expect(ingresses.names).toHaveText(["cart", "internal", "trial"]);
  await expect(page).toHaveURL(/\?q=$/);
  await page.reload();
  await ingresses.isLive();
  await expect(ingresses.names).toHaveText(["cart", "internal", "trial"]);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["cart"]);

  // For good.
  await page.keyboard.press(",");
  await settings.getByRole("button", { name: "Do not leave out kube-*" }).click();
  await settings.getByRole("button", { name: "Do not leave out tier=test" }).click();
  await page.keyboard.press("Escape");
  await expect(ingresses.names).toHaveText(["cart", "internal", "trial"]);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["cart", "internal", "trial"]);
  expect(new URL(page.url()).search).toBe("");
});

test("a link shows what it showed, whoever leaves out what", async ({ page, cluster, dashboard, ingresses, context }) => {
  await cluster.create("kube-system", "internal");
  await cluster.create("shop", "cart");
  const value = encodeURIComponent("-ns:kube-system");
  await context.addCookies([{ name: "kube-ingress-dash-exclude", value, url: dashboard.url }]);
  await ingresses.open(`${dashboard.url}?q=internal`);
  await expect(ingresses.names).toHaveText(["internal"]);
  await ingresses.open(`${dashboard.url}?q=`);
  await expect(ingresses.names).toHaveText(["cart", "internal"]);
  // Only an address that says nothing is one's own.
  await ingresses.open(`${dashboard.url}?ns=kube-system,shop`);
  await expect(ingresses.names).toHaveText(["cart", "internal"]);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["cart"]);
  await expect(page).toHaveURL(/\?q=-ns:kube-system$/);
});

test("what cannot be left out is refused in words and stays in the field", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await page.keyboard.press(",");
  const settings = page.getByRole("dialog", { name: "Settings" });
  const namespaces = settings.getByRole("textbox", { name: "Namespaces left out" });
  await expect(namespaces).toBeFocused();
  await namespaces.fill("kube-system, shop/cart");
  await page.keyboard.press("Enter");
  await expect(settings.getByRole("listitem")).toHaveCount(0);
  await expect(settings).toContainText("“/” cannot be in a namespace: letters, digits, - and * can.");
  await expect(namespaces).toHaveValue("kube-system, shop/cart");
  await expect(ingresses.names).toHaveText(["cart"]);
});
