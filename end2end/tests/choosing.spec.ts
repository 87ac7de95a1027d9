import { expect, test } from "../support/test.ts";

test.describe("in a cluster of many namespaces", () => {
  test.use({ size: { namespaces: 40, ingresses: 120 } });

  test("two namespaces are picked and only their ingresses are shown", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("picked-one", "first");
    await cluster.create("picked-two", "second");
    await cluster.create("other", "third");
    await ingresses.open(dashboard.url);
    await expect(ingresses.pickerButton).toHaveText(/All namespaces/);

    await ingresses.pickerButton.click();
    await expect(ingresses.picker.getByText("43 namespaces")).toBeVisible();
    const find = ingresses.picker.getByRole("searchbox", { name: "Find a namespace" });
    await find.fill("picked");
    await expect(ingresses.picker.getByRole("checkbox")).toHaveCount(2);
    await ingresses.tick("picked-one");
    await ingresses.tick("picked-two");
    await ingresses.picker.getByRole("button", { name: "Watch 2 namespaces" }).click();
    await ingresses.leave();

    await expect(ingresses.picker).toHaveCount(0);
    await expect(ingresses.names).toHaveText(["first", "second"]);
    await expect(ingresses.pickerButton).toContainText("2 namespaces");
    await expect(page).toHaveURL(/[?&]ns=picked-one,picked-two/);
    await ingresses.isLive();

    await cluster.create("other", "unseen");
    await cluster.create("picked-two", "seen");
    await expect(ingresses.names).toHaveText(["first", "second", "seen"].sort());

    await page.goBack();
    await expect(ingresses.pickerButton).toContainText("All namespaces");
    await expect(page.getByRole("contentinfo")).toContainText("125 ingresses");
  });

  test("one namespace is picked with keys alone", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("picked-one", "first");
    await cluster.create("picked-two", "second");
    await ingresses.open(dashboard.url);
    await page.keyboard.press("n");
    const find = ingresses.picker.getByRole("searchbox", { name: "Find a namespace" });
    await expect(find).toBeFocused();
    await page.keyboard.type("picked");
    const boxes = ingresses.picker.getByRole("checkbox");
    await expect(boxes).toHaveCount(2);
    // Which of them is meant?
    await page.keyboard.press("Enter");
    await expect(boxes.and(page.locator(":checked"))).toHaveCount(0);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await expect(boxes.nth(1)).toBeChecked();
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.type("-one");
    await expect(boxes).toHaveCount(1);
    await page.keyboard.press("Enter");
    await ingresses.picker.getByRole("button", { name: "Watch 1 namespace" }).press("Enter");
    await expect(ingresses.names).toHaveText(["first"]);
  });

  test("an address with namespaces and a search opens as it was", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("picked-one", "first");
    await cluster.create("picked-one", "second");
    await cluster.create("other", "first");
    await ingresses.open(`${dashboard.url}?ns=picked-one&q=first`);
    await expect(ingresses.names).toHaveText(["first"]);
    await expect(ingresses.search).toHaveValue("first");
    await page.reload();
    await ingresses.isLive();
    await expect(ingresses.names).toHaveText(["first"]);
  });

  test("a namespace that cannot be is refused in words and the others still count", async ({
    page,
    cluster,
    dashboard,
    ingresses,
  }) => {
    await cluster.create("picked-one", "first");
    await ingresses.open(`${dashboard.url}?ns=picked-one,..%2F..%2F`);
    await expect(page.getByText("Part of the address is left out.")).toBeVisible();
    await expect(page.getByRole("main")).toContainText("../../");
    await expect(ingresses.names).toHaveText(["first"]);
  });
});

test("a search leaves the rows that match, by name, host, path, service and class", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart", { hosts: ["basket.example.com"] });
  await cluster.create("shop", "checkout", { path: "/pay", className: "traefik" });
  await cluster.create("docs", "handbook", { service: "wiki" });
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["cart", "checkout", "handbook"]);

  for (const [text, names] of [
    ["basket", ["cart"]],
    ["/pay", ["checkout"]],
    ["WIKI", ["handbook"]],
    ["ns:shop", ["cart", "checkout"]],
    ["ns:shop -class:traefik", ["cart"]],
    ["", ["cart", "checkout", "handbook"]],
  ] as const) {
    await ingresses.search.fill(text);
    await expect(ingresses.names).toHaveText([...names]);
  }

  await ingresses.search.fill("ns:shop");
  await expect(page).toHaveURL(/[?&]q=ns:shop/);
  await cluster.create("shop", "catalog");
  await cluster.create("docs", "manual");
  await expect(ingresses.names).toHaveText(["cart", "catalog", "checkout"]);

  await ingresses.search.fill("nothing-has-this");
  await expect(page.getByRole("heading", { name: "Nothing matches this filter" })).toBeVisible();
  await page.getByRole("link", { name: "Clear the filter" }).click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveCount(5);
});

test("a press on a heading sorts, and a second one turns the order", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("b", "one");
  await cluster.create("c", "two");
  await cluster.create("a", "three");
  await ingresses.open(dashboard.url);
  const heading = ingresses.table.getByRole("columnheader", { name: "Namespace" });

  await heading.getByRole("button").click();
  await expect(ingresses.names).toHaveText(["three", "one", "two"]);
  await expect(heading).toHaveAttribute("aria-sort", "ascending");
  await heading.getByRole("button").click();
  await expect(ingresses.names).toHaveText(["two", "one", "three"]);
  await expect(heading).toHaveAttribute("aria-sort", "descending");
  await expect(page).toHaveURL(/[?&]sort=-ns/);
});

test("the choice of namespaces fits a low window with its button", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await page.setViewportSize({ width: 1280, height: 600 });
  await ingresses.open(dashboard.url);
  await ingresses.pickerButton.click();
  await ingresses.tick("shop");
  await expect(ingresses.picker.getByRole("button", { name: "Watch 1 namespace" })).toBeInViewport({ ratio: 1 });
});
