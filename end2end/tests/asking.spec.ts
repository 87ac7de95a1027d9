// What people ask of the search: what is on the screen, who serves a host, what a word was meant to be.

import { expect, test } from "../support/test.ts";

test("what the table shows is found by typing it", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { tls: [{ secretName: "admin-tls" }], service: "basket" });
  await cluster.create("docs", "handbook", { className: "traefik" });
  await cluster.setAddresses("shop", "cart", [{ ip: "203.0.113.88" }]);
  await ingresses.open(dashboard.url);
  for (const text of ["nginx", "admin-tls", "203.0.113.88", "basket:8080", "shop/cart"]) {
    await ingresses.search.fill(text);
    await expect(ingresses.names).toHaveText(["cart"]);
    await expect(page.getByText("No value has this in it")).toHaveCount(0);
  }
  await ingresses.search.fill("traef");
  await expect(page.getByRole("option", { name: /class:traefik\s*1/ })).toBeVisible();
  const found = await page.request.get(`${dashboard.url}api/ingresses?search=admin-tls`);
  expect(await found.json()).toMatchObject({ total: 1 });
});

test.describe("who serves a host", () => {
  test.beforeEach(async ({ cluster }) => {
    await cluster.create("shop", "all", { hosts: ["*.checkout.example.com"] });
    await cluster.create("shop", "checkout", { hosts: ["checkout.example.com"], path: "/cart" });
    await cluster.create("shop", "home", { hosts: ["checkout.example.com"], path: "/account" });
    await cluster.create("docs", "handbook");
    const backend = { service: { name: "landing", port: { number: 80 } } };
    await cluster.create("edge", "any", { spec: { defaultBackend: backend } });
  });

  test("a URL is answered with what takes it, the exact host with its path first", async ({ page, dashboard, ingresses }) => {
    await ingresses.open(dashboard.url);
    for (const text of ["https://checkout.example.com/cart?x=1", "checkout.example.com/cart", "checkout.example.com:443/cart"]) {
      await ingresses.search.fill(text);
      await expect(ingresses.names).toHaveText(["checkout", "home", "any"]);
    }
    await expect(ingresses.row("checkout").locator(".hosts mark")).toHaveText("checkout.example.com");
    await expect(ingresses.row("any")).toContainText("by any host");
    await expect(page.getByRole("contentinfo")).toContainText("What takes checkout.example.com first, then by name");
    // The server's own markup has the same order.
    await ingresses.open(`${dashboard.url}?q=https://checkout.example.com/account`);
    await expect(ingresses.names).toHaveText(["home", "checkout", "any"]);
  });

  test("a host is found by the wildcard that takes it, and said so", async ({ dashboard, ingresses }) => {
    await ingresses.open(`${dashboard.url}?q=foo.checkout.example.com`);
    await expect(ingresses.names).toHaveText(["all", "any"]);
    await expect(ingresses.row("all").locator(".hosts")).toHaveText(/^by\s*\*\.checkout\.example\.com$/);
    // In an Ingress a wildcard is for one label; some controllers take more.
    await ingresses.search.fill("a.b.checkout.example.com");
    await expect(ingresses.row("all").locator(".hosts")).toHaveText(/^maybe by\s*\*\.checkout\.example\.com$/);
    // With the key only a rule that names a host is asked, so the default backend is not.
    await ingresses.search.fill("host:foo.checkout.example.com");
    await expect(ingresses.names).toHaveText(["all"]);
    await expect(ingresses.row("all").locator(".hosts")).toHaveText(/^by\s*\*\.checkout\.example\.com$/);
    await ingresses.search.fill("host:other.example.com");
    await expect(ingresses.names).toHaveCount(0);
  });
});

test("letters of every script match in both cases", async ({ cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "praxis", { path: "/Ärzte" });
  await cluster.create("shop", "other");
  await ingresses.open(`${dashboard.url}?q=path:/Ärzte`);
  await expect(ingresses.names).toHaveText(["praxis"]);
});

test("annotations are filtered by their keys", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { annotations: { "cert-manager.io/issuer": "letsencrypt" } });
  await cluster.create("docs", "handbook");
  await ingresses.open(dashboard.url);
  await ingresses.search.pressSequentially("annotation:");
  await page.getByRole("option", { name: /annotation:cert-manager.io\/issuer\s*1/ }).click();
  await expect(ingresses.names).toHaveText(["cart"]);
  await page.getByRole("button", { name: "Remove annotation:cert-manager.io/issuer" }).click();
  await page.getByRole("button", { name: "Labels" }).click();
  await page.getByRole("button", { name: "By annotation" }).click();
  await page.getByRole("dialog", { name: "Filter by Annotations" }).getByRole("checkbox", { name: "cert-manager.io/issuer" }).check();
  await expect(ingresses.names).toHaveText(["cart"]);
});

test("TLS entries that cover none of the hosts are no TLS", async ({ page, cluster, dashboard, ingresses }) => {
  const tls = (...hosts: string[]) => ({ tls: [{ secretName: "some-tls", hosts }] });
  await cluster.create("shop", "elsewhere", { hosts: ["shop.example.com"], ...tls("www.example.com") });
  await cluster.create("shop", "covered", { hosts: ["shop.example.com"], ...tls("*.example.com") });
  await cluster.create("shop", "some", { hosts: ["shop.example.com", "a.b.example.com"], ...tls("shop.example.com") });
  for (const [search, names] of [
    ["tls:no", ["elsewhere"]],
    ["tls:partly", ["some"]],
    ["tls:yes", ["covered", "some"]],
  ] as const) {
    await ingresses.open(`${dashboard.url}?q=${search}`);
    await expect(ingresses.names).toHaveText([...names]);
  }
  await expect(page.getByRole("button", { name: "With TLS" })).toContainText("2");
  await ingresses.search.fill("");
  await page.getByRole("button", { name: "Remove tls:yes" }).click();
  await expect(ingresses.row("elsewhere").locator("td.tls .st")).toHaveAttribute("title", "0 of 1 host, secret some-tls");
});

test("a value that there is not is answered with those near it", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await cluster.create("docs", "handbook");
  const main = page.getByRole("main");
  await ingresses.open(`${dashboard.url}?q=tls:maybe`);
  await expect(main).toContainText("tls:maybe matches nothing. tls: takes yes, no, partly");
  await ingresses.open(`${dashboard.url}?q=class:nignx`);
  const instead = main.getByRole("button", { name: "Search class:nginx instead, 2 match" });
  await expect(instead).toHaveClass(/btn-primary/);
  await instead.click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart", "handbook"]);

  // What is to be removed is one word.
  await ingresses.open(`${dashboard.url}?q=ns:shop+zzzz`);
  const remove = main.getByRole("button", { name: "Remove zzzz, 1 matches" });
  await expect(remove).toHaveClass(/btn-primary/);
  await remove.click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart"]);
});

test("Esc empties the text, then one token with each press, and Back brings them back", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await cluster.create("docs", "handbook");
  await ingresses.open(`${dashboard.url}?q=ns:shop+class:nginx+ca`);
  await expect(ingresses.search).toHaveValue("ca");
  await page.keyboard.press("j");
  for (const left of [/q=ns:shop\+class:nginx$/, /q=ns:shop$/, /\/$/]) {
    await page.keyboard.press("Escape");
    await expect(page).toHaveURL(left);
  }
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart", "handbook"]);
  await page.goBack();
  await expect(page).toHaveURL(/q=ns:shop$/);
  await expect(page.getByRole("button", { name: "Remove ns:shop" })).toBeVisible();
  await page.goBack();
  await page.goBack();
  await expect(ingresses.search).toHaveValue("ca");
  await expect(ingresses.names).toHaveText(["cart"]);
});

test("the fields of the stat strip count what the filter leaves, and filter", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { tls: [{ secretName: "cart-tls" }] });
  await cluster.create("shop", "catalog", { tls: [{ secretName: "cart-tls" }] });
  await cluster.create("docs", "handbook", { hosts: ["a.example.com", "b.example.com"] });
  await ingresses.open(dashboard.url);
  const tls = page.getByRole("button", { name: /^With TLS/ });
  const classless = page.getByRole("button", { name: /^Without class/ });
  const stats = page.getByRole("group", { name: "Numbers" });
  await expect(tls).toHaveText(/2\s*67 %/);
  await expect(classless).toHaveText(/0\s*all have one/);
  await expect(classless).toHaveClass(/zero/);
  await expect(stats).toContainText("Hosts4");
  await ingresses.search.fill("ns:docs");
  await expect(stats).toContainText("Ingresses31 match");
  await expect(stats).toContainText("Hosts2");
  await expect(tls).toHaveText(/0\s*0 %/);
  await ingresses.search.fill("");
  // The suggestions lie over the figures.
  await page.keyboard.press("Escape");
  await tls.click();
  await expect(tls).toHaveAttribute("aria-pressed", "true");
  await expect(page).toHaveURL(/q=tls:yes$/);
  // A press on it takes the word away again, so it says what it would be.
  await expect(tls).toHaveText(/2\s*67 %/);
  await tls.click();
  await expect(page).toHaveURL(/\/$/);
});

test("a link shows what it showed, and a row that it leaves out says so", async ({ cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await cluster.create("docs", "handbook");
  await ingresses.open(`${dashboard.url}?q=ns:docs&sel=shop/cart`);
  await expect(ingresses.details("cart")).toContainText("The filter leaves this ingress out of the table.");
  await ingresses.details("cart").getByRole("button", { name: "Clear the filter" }).click();
  await expect(ingresses.names).toHaveText(["cart", "handbook"]);
  await expect(ingresses.details("cart")).not.toContainText("The filter leaves this");
});

test("Ctrl A picks every row that matches while the table has the focus", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) await cluster.create("shop", name);
  await cluster.create("docs", "d");
  await ingresses.open(`${dashboard.url}?q=ns:shop`);
  await page.keyboard.press("j");
  await expect(ingresses.name("a")).toBeFocused();
  await page.keyboard.press("ControlOrMeta+a");
  await expect(page.getByRole("toolbar")).toContainText("3 picked in 1 namespace");
});

test.describe("with a clipboard", () => {
  test.use({ permissions: ["clipboard-read", "clipboard-write"] });

  test("the link to this view leaves nothing out for others", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("shop", "cart");
    await ingresses.open(dashboard.url);
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole("button", { name: "Copy link to this view" }).click();
    await expect.poll(clipboard).toBe(`${dashboard.url}?q=`);
    await ingresses.search.fill("cart");
    await page.getByRole("button", { name: "Copy link to this view" }).click();
    await expect.poll(clipboard).toBe(`${dashboard.url}?q=cart`);
  });
});

test("a key and a word of the table that are no filter's are understood", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com"] });
  await cluster.create("docs", "guide");
  await cluster.setAddresses("docs", "guide", [{ ip: "203.0.113.7" }]);
  await ingresses.open(`${dashboard.url}?q=addr:pending`);
  await expect(ingresses.names).toHaveText(["cart"]);
  await ingresses.open(`${dashboard.url}?q=namespace:docs`);
  await page.getByRole("main").getByRole("button", { name: "Search ns:docs instead, 1 matches" }).click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["guide"]);
});

test("words of which none can be removed are offered each by itself", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await cluster.create("docs", "guide", { className: "traefik" });
  await ingresses.open(`${dashboard.url}?q=ns:shop+class:traefik+zzzz`);
  const main = page.getByRole("main");
  await expect(main.getByRole("button", { name: /^Search|^Remove/ })).toHaveText([
    "Search ns:shop alone, 1 matches",
    "Search class:traefik alone, 1 matches",
  ]);
  await main.getByRole("button", { name: "Search ns:shop alone" }).click();
  await ingresses.leave();
  await expect(ingresses.names).toHaveText(["cart"]);
});

test("the values of a label stand whole under its key", async ({ page, cluster, dashboard, ingresses }) => {
  const key = "app.kubernetes.io/managed-by";
  for (const [name, by] of [
    ["cart", "helm"],
    ["pay", "argocd"],
    ["www", "terraform-cloud"],
  ] as const) {
    await cluster.create("shop", name, { labels: { [key]: by } });
  }
  await ingresses.open(dashboard.url);
  await page.getByRole("button", { name: "Labels" }).click();
  const list = page.getByRole("dialog", { name: "Labels" });
  await expect(list.getByText(key, { exact: true })).toHaveCount(1);
  for (const value of ["helm", "argocd", "terraform-cloud"]) {
    const words = list.getByText(value, { exact: true });
    await expect(words).toBeVisible();
    expect(await words.evaluate((words) => words.scrollWidth - words.clientWidth)).toBe(0);
  }
});
