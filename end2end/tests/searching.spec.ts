import { expect, test } from "../support/test.ts";

test.beforeEach(async ({ cluster }) => {
  await cluster.create("shop", "cart", { labels: { team: "checkout" } });
  await cluster.create("shop", "catalog", { className: "traefik", tls: [{ secretName: "catalog-tls" }] });
  await cluster.create("docs", "handbook", { labels: { team: "writers" } });
});

test("a key offers its values with their rows, and what is taken becomes a token", async ({ page, dashboard, ingresses }) => {
  await ingresses.open(dashboard.url);
  await page.keyboard.press("/");
  const offers = page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
  await expect(offers.filter({ hasText: "class:" })).toBeVisible();
  await page.keyboard.type("class:");
  await expect(offers).toHaveText([/class:nginx\s*2/, /class:traefik\s*1/]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(ingresses.search).toHaveAttribute("aria-activedescendant", "offer-1");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Remove class:traefik" })).toBeVisible();
  await expect(ingresses.search).toHaveValue("");
  await expect(ingresses.search).toBeFocused();
  await expect(ingresses.names).toHaveText(["catalog"]);
  await expect(page).toHaveURL(/[?&]q=class:traefik/);

  await page.keyboard.type("ns:shop ");
  await expect(page.getByRole("button", { name: "Remove ns:shop" })).toBeVisible();
  await page.keyboard.press("Backspace");
  await expect(ingresses.search).toHaveValue("ns:shop");
  await page.keyboard.press("Escape");
  await expect(offers).toHaveCount(0);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove class:traefik" }).click();
  await expect(ingresses.names).toHaveText(["cart", "catalog"]);

  await page.reload();
  await ingresses.isLive();
  await expect(page.getByRole("button", { name: "Remove ns:shop" })).toBeVisible();
  await expect(ingresses.names).toHaveText(["cart", "catalog"]);
});

test("what matches is marked, also in the server's markup", async ({ request, dashboard, ingresses }) => {
  await ingresses.open(`${dashboard.url}?q=CAT`);
  await expect(ingresses.names).toHaveText(["catalog"]);
  await expect(ingresses.row("catalog").locator("mark").first()).toHaveText("cat");
  await ingresses.search.fill("host:book");
  await expect(ingresses.names).toHaveText(["handbook"]);
  await expect(ingresses.table.locator("tr:not([hidden]) mark")).toHaveText(["book"]);
  const html = await (await request.get(`${dashboard.url}?q=cat`)).text();
  expect(html).toMatch(/<mark>cat(<!>)*<\/mark>(<!>)*alog/);
});

test("a word that is no filter is explained, and the likely one is offered", async ({ page, dashboard, ingresses }) => {
  await ingresses.open(dashboard.url);
  await ingresses.search.pressSequentially("team:writers");
  await expect(page.getByRole("status").filter({ hasText: "team: is not a filter." })).toContainText(
    "It is searched as text.",
  );
  await expect(page.getByRole("heading", { name: "Nothing matches this filter" })).toBeVisible();
  await page.getByRole("option", { name: /label:team=writers.*1/ }).click();
  await expect(ingresses.names).toHaveText(["handbook"]);

  await ingresses.open(`${dashboard.url}?q=is:odd+ns:shop`);
  const main = page.getByRole("main");
  await expect(main).toContainText("is:odd matches nothing. is: takes wildcard, default, hostless.");
  await expect(page.getByRole("heading", { name: "Nothing matches these 2 filters" })).toBeVisible();
  await main.getByRole("button", { name: "Remove is:odd, 2 match" }).click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart", "catalog"]);
});

test("the chips write words into the search", async ({ page, dashboard, ingresses }) => {
  await ingresses.open(dashboard.url);
  await page.getByRole("button", { name: "Class" }).first().click();
  const menu = page.getByRole("dialog", { name: "Filter by Class" });
  await menu.getByRole("checkbox", { name: "nginx" }).check();
  await expect(menu).toContainText("class:nginx");
  await expect(menu).toContainText("2 match");
  await menu.getByRole("checkbox", { name: "traefik" }).check();
  await expect(menu).toContainText("3 match");
  await menu.getByRole("checkbox", { name: "traefik" }).uncheck();
  await menu.getByRole("button", { name: "is not" }).click();
  await page.keyboard.press("Escape");
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["catalog"]);
  await expect(page.getByRole("button", { name: "Class not nginx" })).toBeFocused();
  await expect(page).toHaveURL(/[?&]q=-class:nginx/);

  await page.getByRole("button", { name: "Class not nginx" }).click();
  await menu.getByRole("button", { name: "Clear" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Labels" }).click();
  await page.getByRole("searchbox", { name: "Find in Labels" }).fill("writ");
  await expect(page.getByRole("checkbox")).toHaveCount(1);
  await page.getByRole("checkbox", { name: "team=writers" }).check();
  await page.keyboard.press("Escape");
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["handbook"]);
});
