import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

test.use({ size: { namespaces: 12, ingresses: 60 } });

/** axe finds nothing, of what WCAG asks for and of what it calls best practice. */
async function isAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`);
  expect(found).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    test("axe finds nothing in the table, the details and the picker", async ({ page, dashboard, ingresses }) => {
      await ingresses.open(dashboard.url);
      await expect(ingresses.rows.first()).toBeVisible();
      await isAccessible(page);

      await ingresses.names.first().getByRole("link").click();
      for (const tab of ["Overview", "Routing", "TLS", "Labels", "YAML"]) {
        await page.getByRole("tab", { name: tab }).click();
        await expect(page.getByRole("tabpanel")).not.toContainText("Loading");
        await isAccessible(page);
      }
      await page.keyboard.press("Escape");

      await ingresses.pickerButton.click();
      await expect(ingresses.picker.getByRole("checkbox").first()).toBeVisible();
      await isAccessible(page);
      await page.keyboard.press("Escape");

      await ingresses.themeButton.click();
      await expect(page.getByRole("menuitemradio")).toHaveCount(3);
      await isAccessible(page);
    });

    test("axe finds nothing where there is nothing to show", async ({ page, cluster, dashboard, ingresses }) => {
      await cluster.createNamespaces("empty");
      await ingresses.open(`${dashboard.url}?ns=empty`);
      await expect(page.getByRole("heading", { name: "No ingresses in empty" })).toBeVisible();
      await isAccessible(page);

      await ingresses.open(`${dashboard.url}?q=nothing-has-this`);
      await expect(page.getByRole("heading", { name: "Nothing matches this filter" })).toBeVisible();
      await isAccessible(page);
    });

    test("axe finds nothing when the page is not live", async ({ page, dashboard, ingresses, complaints }) => {
      complaints.expect(/net::ERR_/);
      await ingresses.open(dashboard.url);
      await dashboard.kill();
      await expect(ingresses.badge).toContainText("Reconnecting");
      await expect(page.getByRole("main")).toContainText("Connection lost.");
      await isAccessible(page);
    });
  });
}

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("axe finds nothing in the page as the server renders it", async ({ page, dashboard, ingresses }) => {
    await expect(async () => {
      await page.goto(dashboard.url);
      await expect(ingresses.rows).toHaveCount(60, { timeout: 1 });
    }).toPass();
    await isAccessible(page);
  });
});
