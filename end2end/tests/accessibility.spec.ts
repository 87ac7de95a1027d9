import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

test.use({ size: { namespaces: 6, ingresses: 15 } });

/** axe finds nothing in a part of the page, of what WCAG asks for and of what it calls best practice. */
async function isAccessible(page: Page, part = "html"): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include(part).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`);
  expect(found).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    test("axe finds nothing in the table", async ({ page, dashboard, ingresses }) => {
      await ingresses.open(dashboard.url);
      await expect(ingresses.rows.first()).toBeVisible();
      await isAccessible(page);
    });

    test("axe finds nothing in groups, picked rows and tokens", async ({ page, dashboard, ingresses }) => {
      await ingresses.open(`${dashboard.url}?group=ns&q=-class:none`);
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      await page.keyboard.press("x");
      await expect(page.getByRole("toolbar")).toContainText("1 picked");
      await isAccessible(page);
      await page.keyboard.press("Shift+F10");
      await expect(page.getByRole("menu")).toBeVisible();
      await isAccessible(page, "#root");
    });

    test("axe finds nothing in the cards of a phone", async ({ page, dashboard, ingresses }) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await ingresses.open(dashboard.url);
      await expect(ingresses.rows.first()).toBeVisible();
      await isAccessible(page);
    });

    test("axe finds nothing in the details", async ({ page, dashboard, ingresses }) => {
      await ingresses.open(dashboard.url);
      await ingresses.names.first().getByRole("link").click();
      for (const tab of ["Overview", "Routing", "TLS", "Labels", "YAML", "Changes"]) {
        await page.getByRole("tab", { name: tab }).click();
        await expect(page.getByRole("tabpanel")).not.toContainText("Loading");
        await isAccessible(page, "#details");
      }
    });

    test("axe finds nothing in what floats over the page", async ({ page, dashboard, ingresses }) => {
      await ingresses.open(dashboard.url);
      await ingresses.pickerButton.click();
      await expect(ingresses.picker.getByRole("checkbox").first()).toBeVisible();
      await isAccessible(page, ".bar");
      await page.keyboard.press("Escape");

      await ingresses.themeButton.click();
      await expect(page.getByRole("menuitemradio")).toHaveCount(3);
      await isAccessible(page, "#root");
      await page.keyboard.press("Escape");

      for (const name of ["Group: none", "Columns", "Class", "Keyboard help", "Settings"]) {
        await page.getByRole("button", { name, exact: true }).first().click();
        await expect(page.getByRole("dialog").first()).toBeVisible();
        await isAccessible(page, "#root");
        await page.keyboard.press("Escape");
      }
      await ingresses.search.pressSequentially("class:");
      await expect(page.getByRole("option").first()).toBeVisible();
      await isAccessible(page, "#root");
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

test("axe finds nothing in the page as the server renders it", async ({ page, request, dashboard, ingresses }) => {
  // axe is a script itself: the document is shown as a browser shows it that runs none of the page's.
  const html = await (await request.get(dashboard.url)).text();
  const body = html.replaceAll(/<script[^]*?<\/script>|<link rel="(?:module)?preload[^>]*>|<\/?noscript>/g, "");
  await page.route(dashboard.url, (route) => route.fulfill({ body, contentType: "text/html" }));
  await page.goto(dashboard.url);
  await expect(page.getByRole("region", { name: "State of this page" })).toBeVisible();
  await expect(ingresses.rows).toHaveCount(15);
  await isAccessible(page);
});
