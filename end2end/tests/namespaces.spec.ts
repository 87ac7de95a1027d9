// The choice of namespaces where there are many, and those that there are not.

import { expect, test } from "../support/test.ts";

test("names that no namespace can have show nothing, and are said", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await page.goto(`${dashboard.url}?ns=UPPER,${"x".repeat(70)}`);
  await expect(ingresses.badge).toContainText(/^Idle/);
  await expect(page.getByRole("main")).toContainText("No namespace is watched");
  await expect(page.getByText(/"UPPER" is not a namespace name/)).toBeVisible();
  await expect(ingresses.names).toHaveCount(0);
  await page.getByRole("main").getByRole("button", { name: "Watch the whole cluster" }).click();
  await expect(ingresses.names).toHaveText(["cart"]);
  await page.goBack();
  await expect(ingresses.badge).toContainText(/^Idle/);
  await expect(ingresses.names).toHaveCount(0);
});

test("a namespace that there is not is said, with the one that was likely meant", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await cluster.create("docs", "handbook");
  await ingresses.open(`${dashboard.url}?ns=shpo`);
  const main = page.getByRole("main");
  await expect(main.getByRole("heading", { name: "There is no namespace shpo" })).toBeVisible();
  await expect(main).not.toContainText("The watch works");
  await expect(page.getByRole("group", { name: "Numbers" })).toContainText(/Namespaces0of \d/);
  await expect(main).not.toContainText("kubectl");
  const html = await (await page.request.get(`${dashboard.url}?ns=shpo`)).text();
  expect(html).toContain("There is no namespace shpo");
  await main.getByRole("button", { name: "shop", exact: true }).click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart"]);
  await expect(page).toHaveURL(/\?ns=shop$/);

  // One of several.
  await page.goto(`${dashboard.url}?ns=docs,shpo`);
  await expect(main).toContainText("There is no namespace shpo.");
  await expect(ingresses.names).toHaveText(["handbook"]);
});

test("a namespace without ingresses is still an empty one", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.createNamespaces("bare");
  await cluster.create("shop", "cart");
  await ingresses.open(`${dashboard.url}?ns=bare`);
  await expect(page.getByRole("heading", { name: "No ingresses in bare" })).toBeVisible();
});

test.describe("in a cluster of 400 namespaces", () => {
  test.use({ size: { namespaces: 400, ingresses: 600 } });

  test("the list scrolls to its end, and Enter ticks what a pattern finds", async ({ page, cluster, dashboard, ingresses }) => {
    for (const name of ["till-a", "till-b", "till-c"]) await cluster.create(name, name);
    await cluster.createNamespaces("zz-last");
    await ingresses.open(dashboard.url);
    await ingresses.pickerButton.click();
    await expect(ingresses.picker.getByText("404 namespaces")).toBeVisible();
    // Nothing is offered that changes nothing.
    await expect(ingresses.picker.getByRole("button", { name: /^Watch/ })).toHaveCount(0);
    const list = ingresses.picker.getByRole("region", { name: "Namespaces" });
    await list.evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await expect(list.getByRole("checkbox", { name: "zz-last", exact: true })).toBeInViewport();
    await ingresses.picker.getByRole("searchbox", { name: "Find a namespace" }).fill("till-*");
    await expect(list.getByRole("checkbox")).toHaveCount(3);
    await page.keyboard.press("Enter");
    await ingresses.picker.getByRole("button", { name: "Watch 3 namespaces" }).click();
    await ingresses.leave();
    await expect(ingresses.names).toHaveText(["till-a", "till-b", "till-c"]);
    await expect(page).toHaveURL(/\?ns=till-a,till-b,till-c$/);
  });

  test("more than one stream carries are shown by a word of the search", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.createNamespaces(...Array.from({ length: 52 }, (_, index) => `bulk-${index}`));
    await ingresses.open(dashboard.url);
    await ingresses.pickerButton.click();
    await expect(ingresses.picker.getByText("452 namespaces")).toBeVisible();
    await ingresses.picker.getByRole("searchbox", { name: "Find a namespace" }).fill("bulk-*");
    await page.keyboard.press("Enter");
    await expect(ingresses.picker).toContainText("52 picked, one stream carries 50.");
    await expect(ingresses.picker.getByRole("button", { name: "Cancel" })).toBeVisible();
    await ingresses.picker.getByRole("button", { name: "Watch the whole cluster, show bulk-*" }).click();
    await expect(page).toHaveURL(/\?q=ns:bulk-\*$/);
    await expect(ingresses.pickerButton).toContainText("All namespaces");

    // One that was not ticked by the pattern: now they are named.
    await ingresses.pickerButton.click();
    await ingresses.picker.getByRole("searchbox", { name: "Find a namespace" }).fill("bulk-*");
    await page.keyboard.press("Enter");
    await ingresses.picker.getByRole("button", { name: "Remove bulk-7", exact: true }).click();
    await ingresses.picker.getByRole("button", { name: "Watch the whole cluster, show 51" }).click();
    await expect(page).toHaveURL(/\?q=ns:[a-z0-9-]+(,[a-z0-9-]+){50}$/);
    await expect(ingresses.pickerButton).toContainText("All namespaces");
    // It opens as it was.
    await ingresses.pickerButton.click();
    await expect(ingresses.picker).toContainText("Selected 51");
  });

  test("all except some, inverted, pinned and recent", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("aa-one", "first");
    await cluster.create("aa-two", "second");
    await ingresses.open(`${dashboard.url}?q=ns:aa-one,aa-two`);
    await expect(ingresses.names).toHaveText(["first", "second"]);
    await ingresses.open(dashboard.url);
    await ingresses.pickerButton.click();
    const find = ingresses.picker.getByRole("searchbox", { name: "Find a namespace" });
    await find.fill("aa-");
    await ingresses.tick("aa-one");
    await ingresses.picker.getByRole("button", { name: "Invert" }).click();
    await expect(ingresses.picker.getByRole("checkbox", { name: "aa-two" })).toBeChecked();
    await expect(ingresses.picker.getByRole("checkbox", { name: "aa-one" })).not.toBeChecked();
    await ingresses.picker.getByRole("checkbox", { name: "aa-two" }).press("p");
    await expect(ingresses.picker.getByRole("listitem").filter({ hasText: "aa-two" }).getByRole("button", { name: "Pin aa-two" })).toHaveAttribute("aria-pressed", "true");
    await ingresses.picker.getByRole("button", { name: "All except" }).click();
    await ingresses.picker.getByRole("button", { name: "Watch all except 1" }).click();
    await expect(page).toHaveURL(/\?q=-ns:aa-two$/);
    await page.reload();
    await ingresses.isLive();
    await ingresses.pickerButton.click();
    await expect(ingresses.picker.getByRole("button", { name: "All except" })).toHaveAttribute("aria-pressed", "true");
    await expect(ingresses.picker.getByText("Pinned")).toBeVisible();
    await expect(ingresses.picker.getByRole("checkbox").first()).toBeChecked();
  });

  test("sets of namespaces are kept and a key shows them", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("aa-one", "first");
    await cluster.create("aa-two", "second");
    await ingresses.open(dashboard.url);
    await ingresses.pickerButton.click();
    await ingresses.picker.getByRole("searchbox", { name: "Find a namespace" }).fill("aa-*");
    await page.keyboard.press("Enter");
    await ingresses.picker.getByRole("button", { name: "Keep as 1" }).click();
    await expect(ingresses.picker.getByRole("button", { name: "Select set 1: aa-one, aa-two" })).toBeVisible();
    await page.keyboard.press("Escape");
    await page.reload();
    await ingresses.isLive();
    await page.keyboard.press("1");
    await expect(page).toHaveURL(/\?ns=aa-one,aa-two$/);
    await expect(ingresses.names).toHaveText(["first", "second"]);
    await page.keyboard.press("0");
    await expect(ingresses.pickerButton).toContainText("All namespaces");
    await page.keyboard.press("2");
    await expect(page.getByRole("status").filter({ hasText: "No set 2" })).toHaveCount(1);
  });
});

test("without permission to list namespaces names are typed, and nothing forbidden is offered", async ({
  cluster,
  start,
  page,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await cluster.setRules({ decision: "deny", resource: "namespaces" });
  const dashboard = await start({ kubeconfig: cluster.kubeconfig });
  await expect.poll(() => dashboard.isReady()).toBe(true);
  await ingresses.open(dashboard.url);
  await page.keyboard.press("n");
  const name = ingresses.picker.getByRole("textbox", { name: "Name" });
  await expect(name).toBeFocused();
  await expect(ingresses.picker).toContainText("The dashboard may not list namespaces.");
  await name.fill("shop");
  await page.keyboard.press("Enter");
  await ingresses.picker.getByRole("button", { name: "Clear" }).click();
  await expect(ingresses.picker.getByRole("button", { name: "Watch the whole cluster" })).toHaveCount(0);
});

test("a namespace that there is not is said wherever it was asked for", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await cluster.createNamespaces("empty");
  const main = page.getByRole("main");
  await ingresses.open(`${dashboard.url}?q=ns:nosuch`);
  await expect(main).toContainText("There is no namespace nosuch.");
  await ingresses.open(`${dashboard.url}?q=ns:empty`);
  await expect(main).toContainText("ns:empty matches nothing.");
  await expect(main).not.toContainText("There is no namespace");

  await ingresses.open(`${dashboard.url}?sel=nosuch/cart`);
  const details = ingresses.details("cart");
  await expect(details).toContainText("There is no namespace nosuch.");
  await expect(details.getByRole("button", { name: "Copy kubectl command" })).toBeHidden();
  await ingresses.open(`${dashboard.url}?sel=shop/nosuch`);
  await expect(ingresses.details("nosuch")).toContainText("There is no such ingress");
  await expect(ingresses.details("nosuch")).not.toContainText("There is no namespace");

  await page.goto(`${dashboard.url}?ns=SHOP`);
  await main.getByRole("button", { name: "shop", exact: true }).click();
  await expect(ingresses.names).toHaveText(["cart"]);
  await expect(page).toHaveURL(/\?ns=shop$/);
});
