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
      const title = page.getByRole("heading", { name: "You may not list ingresses in finance" });
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
