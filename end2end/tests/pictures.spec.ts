// The page as it looks. `npm run pictures` writes the pictures anew, and those of the README.

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { reservePort } from "../support/programs.ts";
import { kubeconfigFor } from "../support/simulator.ts";
import { expect, type Ingresses, test } from "../support/test.ts";

// A page of a fixed font, in which what time and chance decide is not drawn; its policy would refuse the style.
test.use({ bypassCSP: true, colorScheme: "light", viewport: { width: 1280, height: 720 } });

const style = `
  :root { --font-ui: "Liberation Sans"; --font-mono: "Liberation Mono" }
  .conn .t, .asofbar, .reach .muted, .why-list { visibility: hidden }
  td.num, td.num * { color: transparent }
  * { caret-color: transparent !important }
`;

const installed = (() => {
  try {
    return execFileSync("fc-list", [":family=Liberation Sans"]).length > 0;
  } catch {
    return false;
  }
})();

test.beforeEach(({}, testInfo) => {
  testInfo.skip(!installed, "the font Liberation Sans is not installed");
});

async function looksLike(page: Page, name: string): Promise<void> {
  await page.mouse.move(1, 1);
  await page.addStyleTag({ content: style });
  await page.evaluate(() => document.fonts.ready);
  await expect(page).toHaveScreenshot(`${name}.png`);
}

test.describe("a cluster of sixty ingresses", () => {
  // The same seed gives the same cluster everywhere.
  test.use({ size: { namespaces: 12, ingresses: 60 } });

  test.describe("in the dark", () => {
    test.use({ colorScheme: "dark" });

    test("the table", async ({ page, dashboard, ingresses }) => {
      await ingresses.open(dashboard.url);
      await looksLike(page, "table-dark");
    });

    test("the details", async ({ page, dashboard, ingresses }) => {
      await openDetails(ingresses, dashboard.url);
      await looksLike(page, "details-dark");
    });

    test("the table on a phone", async ({ page, dashboard, ingresses }) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await ingresses.open(dashboard.url);
      await looksLike(page, "phone-dark");
    });
  });

  test("the table", async ({ page, dashboard, ingresses }, testInfo) => {
    await ingresses.open(dashboard.url);
    await looksLike(page, "table");
    if (testInfo.config.updateSnapshots === "all") await forReadme(page, dashboard.url, ingresses);
  });

  test("the table in groups", async ({ page, dashboard, ingresses }) => {
    await ingresses.open(`${dashboard.url}?group=class&q=tls:no`);
    await looksLike(page, "groups");
  });

  test("the details", async ({ page, dashboard, ingresses }) => {
    await openDetails(ingresses, dashboard.url);
    await looksLike(page, "details");
  });

  test("the choice of namespaces", async ({ page, dashboard, ingresses }) => {
    await ingresses.open(dashboard.url);
    await ingresses.pickerButton.click();
    await expect(ingresses.picker.getByRole("checkbox").first()).toBeVisible();
    await looksLike(page, "namespaces");
  });

  test("a filter that matches nothing", async ({ page, dashboard, ingresses }) => {
    await ingresses.open(`${dashboard.url}?q=tls:no+class:nginx+nowhere`);
    await expect(page.getByRole("heading", { name: /Nothing matches/ })).toBeVisible();
    await looksLike(page, "no-match");
  });

  test("the table on a phone", async ({ page, dashboard, ingresses }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await ingresses.open(dashboard.url);
    await looksLike(page, "phone");
  });

  test("a cluster that is lost", async ({ page, cluster, dashboard, ingresses }) => {
    await ingresses.open(dashboard.url);
    await cluster.fail({ operation: "watch", effect: "status", status: 503, retryAfter: 300 });
    await cluster.fail({ operation: "list", effect: "status", status: 503, retryAfter: 300 });
    await cluster.dropWatches();
    await expect(ingresses.badge).toContainText("Cluster lost");
    await expect(page.getByRole("main")).toContainText("Next try in");
    // The time of day and the seconds that are left.
    await page.addStyleTag({ content: ".notice .msg, .stats .c { visibility: hidden }" });
    await looksLike(page, "cluster-lost");
  });
});

test("an empty cluster", async ({ page, dashboard, ingresses }) => {
  await ingresses.open(dashboard.url);
  await expect(page.getByRole("heading", { name: /No ingresses/ })).toBeVisible();
  await looksLike(page, "empty");
});

test("a cluster that has never answered", async ({ page, start, complaints }) => {
  complaints.expect(/503 \(Service Unavailable\)/);
  const dashboard = await start({ kubeconfig: kubeconfigFor(`http://127.0.0.1:${await reservePort()}`) });
  await page.goto(dashboard.url);
  await expect(page.getByRole("heading", { name: "The Kubernetes API does not answer" })).toBeVisible();
  await page.addStyleTag({ content: ".reach > p, .ctx { visibility: hidden }" });
  await looksLike(page, "unreachable");
});

async function openDetails(ingresses: Ingresses, url: string): Promise<void> {
  await ingresses.open(url);
  await ingresses.names.first().getByRole("link").click();
  await expect(ingresses.page.getByRole("tab", { name: "Overview" })).toBeVisible();
}

/** The README shows the page as it is, with the fonts of the machine. */
async function forReadme(page: Page, url: string, ingresses: Ingresses): Promise<void> {
  const docs = resolve(import.meta.dirname, "../../docs");
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await ingresses.open(url);
    await page.screenshot({ path: `${docs}/screenshot-${colorScheme}.png` });
  }
}
