// What clusters really hold, and what nobody should have put there.

import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

const markup = '"><img src=x onerror="window.__xss=1"><script>window.__xss=1</script></script><b>bold</b>${{7*7}}';

async function nothingRan(page: Page): Promise<void> {
  expect(await page.evaluate(() => "__xss" in window)).toBe(false);
  await expect(page.locator("img, #root script, main b:text-is('bold')")).toHaveCount(0);
}

/** Nothing sticks out of the window. */
async function fitsTheWindow(page: Page): Promise<void> {
  const { width, content } = await page.evaluate(() => ({
    width: document.documentElement.clientWidth,
    content: document.documentElement.scrollWidth,
  }));
  expect(content).toBeLessThanOrEqual(width);
}

test("markup in every field is text, in the rows, the details and the YAML", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "evil", {
    annotations: { "example.com/note": markup, [markup]: markup },
    labels: { "example.com/label": markup },
    spec: {
      ingressClassName: markup,
      defaultBackend: { resource: { apiGroup: markup, kind: markup, name: markup } },
      tls: [{ secretName: markup, hosts: [markup] }],
      rules: [
        {
          host: markup,
          http: {
            paths: [
              {
                path: `/${markup}`,
                pathType: "Prefix",
                backend: { service: { name: markup, port: { name: markup } } },
              },
            ],
          },
        },
        { host: "javascript:window.__xss=1", http: { paths: [] } },
      ],
    },
  });
  await cluster.create("shop", "good");
  await cluster.setAddresses("shop", "evil", [{ hostname: markup }, { ip: markup }]);

  // Server-rendered first, then by the stream, then after a change.
  await ingresses.open(dashboard.url);
  const row = ingresses.row("evil");
  await expect(row).toContainText("<img src=x");
  const height = async (name: string) => (await ingresses.row(name).boundingBox())?.height;
  expect(await height("evil")).toBe(await height("good"));
  await cluster.patch("shop", "evil", { metadata: { labels: { "example.com/other": markup } } });
  await row.getByRole("button", { name: /more host/ }).click();
  await expect(page.getByRole("dialog", { name: "2 hosts of evil" })).toContainText("javascript:window.__xss=1");
  await expect(page.getByRole("link", { name: /javascript/ })).toHaveCount(0);
  await page.keyboard.press("Escape");

  await ingresses.name("evil").click();
  const details = ingresses.details("evil");
  for (const tab of ["Overview", "Routing", "TLS", "Labels", "YAML"]) {
    await details.getByRole("tab", { name: tab }).click();
    await expect(details.getByRole("tabpanel")).toContainText("<script>");
    await nothingRan(page);
    await fitsTheWindow(page);
  }

  for (const text of [markup, "<b>bold</b>"]) {
    await ingresses.search.fill(text);
    await nothingRan(page);
    await page.reload();
    await ingresses.isLive();
    await nothingRan(page);
    await expect(ingresses.search).toHaveValue(text);
  }
  await page.goto(`${dashboard.url}?ns=${encodeURIComponent(markup)}&sel=${encodeURIComponent(`${markup}/${markup}`)}`);
  await ingresses.isLive();
  await nothingRan(page);
});

test("200 hosts are one line in the table and all in the details", async ({ page, cluster, dashboard, ingresses }) => {
  const hosts = Array.from({ length: 200 }, (_, number) => `host-${number}.example.com`);
  await cluster.create("shop", "many", { hosts });
  await cluster.create("shop", "one");
  await ingresses.open(dashboard.url);
  const height = async (name: string) => (await ingresses.row(name).boundingBox())?.height;
  expect(await height("many")).toBe(await height("one"));

  await ingresses.row("many").getByRole("button", { name: "Show 199 more hosts of many" }).click();
  const list = page.getByRole("dialog", { name: "200 hosts of many" });
  await expect(list.getByRole("listitem")).toHaveCount(200);
  await expect(list).toBeInViewport();
  await page.keyboard.press("Escape");

  await ingresses.name("many").click();
  await expect(ingresses.details("many").getByRole("link", { name: "host-199.example.com" })).toBeAttached();
  await fitsTheWindow(page);
});

test("a 200 kB annotation costs the table nothing and is in the YAML", async ({ page, cluster, dashboard, ingresses }) => {
  const value = `begin-${"x".repeat(200_000)}-end`;
  await cluster.create("shop", "large", { annotations: { "example.com/large": value } });
  await ingresses.open(dashboard.url);
  await ingresses.name("large").click();
  const details = ingresses.details("large");
  await details.getByRole("tab", { name: "Labels" }).click();
  await expect(details.getByRole("tabpanel")).toContainText("example.com/large");
  await details.getByRole("tab", { name: "YAML" }).click();
  await expect(details.getByLabel("YAML", { exact: true })).toContainText("-end");
  await fitsTheWindow(page);
  expect(await page.content()).not.toContain("undefined");
});

test("hosts are links, wildcards and other patterns are not", async ({ cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "plain", {
    hosts: ["plain.example.com"],
    tls: [{ secretName: "plain-tls", hosts: ["plain.example.com"] }],
  });
  await cluster.create("shop", "wildcard", { hosts: ["*.example.com"] });
  await ingresses.open(dashboard.url);

  const link = ingresses.row("plain").getByRole("link", { name: "plain.example.com" });
  await expect(link).toHaveAttribute("href", "https://plain.example.com/");
  await expect(link).toHaveAttribute("rel", /noreferrer/);
  await expect(ingresses.row("wildcard")).toContainText("*.example.com");
  await expect(ingresses.row("wildcard").getByRole("link", { name: "example.com" })).toHaveCount(0);
});

test("ingresses without rules, without host and with a default backend only are said in words", async ({
  cluster,
  dashboard,
  ingresses,
}) => {
  const backend = { service: { name: "web", port: { number: 80 } } };
  await cluster.create("shop", "default-only", { spec: { defaultBackend: backend } });
  await cluster.create("shop", "hostless", {
    spec: { rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] },
  });
  await cluster.create("shop", "pathless", { spec: { rules: [{ host: "bare.example.com" }] } });
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("default-only")).toContainText("Any host (default backend)");
  await expect(ingresses.row("hostless")).toContainText("Any host");
  await expect(ingresses.row("pathless")).toContainText("bare.example.com");
  await expect(ingresses.row("pathless").getByRole("cell", { name: "none" }).first()).toBeVisible();
});
