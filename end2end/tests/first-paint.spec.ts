import { kubeconfigFor } from "../support/simulator.ts";
import { Ingresses, expect, test } from "../support/test.ts";

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });
  test.beforeEach(({ complaints }) => complaints.expect(/preloaded using link preload but not used/));

  test("the page arrives with its rows and says that it does not update", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("shop", "storefront", { hosts: ["shop.example.com"], className: "traefik" });
    await cluster.create("docs", "handbook");
    await expect(async () => {
      await page.goto(dashboard.url);
      await expect(ingresses.rows).toHaveCount(2, { timeout: 1 });
    }).toPass();

    const row = ingresses.row("storefront", "shop");
    await expect(row).toContainText("shop.example.com");
    await expect(row).toContainText("traefik");
    await expect(page.getByRole("region", { name: "State of this page" })).toContainText("does not update by itself");
  });

  test("what may not be read and what does not answer is said, and is not none", async ({ page, cluster, start }) => {
    await cluster.create("finance", "ledger");
    await cluster.setRules({ decision: "deny", resource: "ingresses" });
    const forbidden = await start({ kubeconfig: cluster.kubeconfig });
    await expect(async () => {
      await page.goto(`${forbidden.url}?ns=finance`);
      const title = page.getByRole("heading", { name: "The dashboard's account may not list ingresses in finance" });
      await expect(title).toBeVisible({ timeout: 1 });
    }).toPass();
    await expect(page.getByRole("contentinfo")).not.toContainText("0 ingresses");

    const unreachable = await start({ kubeconfig: kubeconfigFor("http://127.0.0.1:9") });
    await expect(async () => {
      await page.goto(unreachable.url);
      await expect(page.getByText(/refused/i).first()).toBeVisible({ timeout: 1 });
    }).toPass();
    // Nothing here works or comes by itself without scripts.
    await expect(page.getByRole("button")).toHaveCount(0);
    await expect(page.getByText("by themselves")).toBeHidden();
  });

  test("filters, namespaces and the parts of the details are links", async ({ page, cluster, dashboard, ingresses }) => {
    await cluster.create("shop", "cart", { className: "nginx", tls: [{ secretName: "cart-tls", hosts: ["cart.example.com"] }] });
    await cluster.create("shop", "storefront", { className: "traefik" });
    await cluster.create("docs", "handbook", { className: "nginx" });
    await expect(async () => {
      await page.goto(dashboard.url);
      await expect(ingresses.rows).toHaveCount(3, { timeout: 1 });
    }).toPass();
    const filters = page.getByRole("navigation", { name: "Quick filters" });
    await expect(filters.getByRole("link")).toHaveText(["All 3", "nginx 2", "traefik 1", "Without TLS 2"]);

    await filters.getByRole("link", { name: "nginx" }).click();
    await expect(ingresses.names).toHaveText(["cart", "handbook"]);
    await filters.getByRole("link", { name: "Without TLS" }).click();
    await expect(ingresses.names).toHaveText(["handbook"]);
    await expect(filters.locator("[aria-current]")).toHaveText(["nginx 2", "Without TLS 2"]);
    await expect(ingresses.search).toHaveValue("class:nginx tls:no");
    await filters.getByRole("link", { name: "Without TLS" }).click();
    await filters.getByRole("link", { name: "nginx" }).click();
    await expect(ingresses.rows).toHaveCount(3);

    const namespaces = page.getByRole("navigation", { name: "Namespaces" });
    await expect(namespaces.getByRole("link")).toHaveText(["shop 2", "docs 1"]);
    await namespaces.getByRole("link", { name: "shop" }).click();
    await expect(ingresses.names).toHaveText(["cart", "storefront"]);
    await ingresses.name("storefront").click();
    const details = page.getByRole("navigation", { name: "Details" });
    await details.getByRole("link", { name: "Routing" }).click();
    await expect(ingresses.details("storefront").getByRole("tabpanel")).toContainText("Prefix");
    await expect(ingresses.details("storefront").getByRole("button")).toHaveCount(0);
    const yaml = await details.getByRole("link", { name: "YAML" }).getAttribute("href");
    expect(await (await fetch(new URL(yaml ?? "", dashboard.url))).text()).toContain("name: storefront");
    await details.getByRole("link", { name: "Close" }).click();
    await expect(ingresses.details("storefront")).toHaveCount(0);
    await expect(ingresses.names).toHaveText(["cart", "storefront"]);
    await namespaces.getByRole("link", { name: "All" }).click();
    await expect(ingresses.rows).toHaveCount(3);
  });

  test("the filter is a form and further rows are on further pages", async ({ page, cluster, dashboard, ingresses }) => {
    for (let number = 100; number < 185; number += 1) await cluster.create("many", `site-${number}`);
    await expect(async () => {
      await page.goto(dashboard.url);
      await expect(page.getByRole("navigation", { name: "Pages" })).toContainText("1 to 80 of 85", { timeout: 1 });
    }).toPass();

    // As far as a wheel gets one outside of the table, which scrolls by itself.
    await page.mouse.move(700, 20);
    await page.mouse.wheel(0, 10_000);
    await expect(page.getByRole("link", { name: "Next" })).toBeInViewport();
    await page.getByRole("link", { name: "Next" }).click();
    await expect(ingresses.row("site-184")).toBeVisible();
    await expect(ingresses.row("site-100")).toBeHidden();

    await ingresses.search.fill("site-17");
    await ingresses.search.press("Enter");
    await expect(ingresses.rows).toHaveCount(10);
    await expect(page).toHaveURL(/[?&]q=site-17/);
  });
});

test("a page whose scripts never come has its rows", async ({ page, cluster, dashboard, complaints }) => {
  complaints.expect(/Failed to load resource/, /preload/);
  await cluster.create("shop", "storefront");
  await page.route("**/pkg/**/*.js", (route) => route.abort());
  const ingresses = new Ingresses(page);
  await expect(async () => {
    await page.goto(dashboard.url);
    await expect(ingresses.row("storefront")).toBeVisible({ timeout: 1 });
  }).toPass();
});

test("what is typed before the live rows have come leaves those of the server", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "storefront");
  await expect.poll(async () => (await (await fetch(`${dashboard.url}api/ingresses`)).json()).total).toBe(1);
  // An answer that takes for ever.
  await page.route("**/api/ingresses*", () => {});
  await page.goto(dashboard.url);
  await expect(ingresses.name("storefront")).toHaveAttribute("tabindex", "0");
  await ingresses.search.fill("storefront");
  await expect(page).toHaveURL(/[?&]q=storefront/);
  await page.evaluate(() => new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame))));
  await expect(ingresses.names).toHaveText(["storefront"]);
});
