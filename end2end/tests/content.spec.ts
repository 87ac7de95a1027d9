// What clusters really hold, and what nobody should have put there.

import type { Page } from "@playwright/test";
import { Forgery } from "../support/forgery.ts";
import { kubeconfigFor } from "../support/simulator.ts";
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

test("markup in every field is text, in the rows, the details and the YAML", async ({ page, cluster, start, ingresses }) => {
  const forgery = await Forgery.start(cluster.url, { "a-markup": markup, "a-script": "javascript:window.__xss=1" });
  const backend = { service: { name: "a-markup", port: { name: "a-markup" } } };
  await cluster.create("shop", "evil", {
    annotations: { "example.com/note": markup, "a-markup": markup },
    labels: { "a-markup": "a-markup" },
    spec: {
      ingressClassName: "a-markup",
      defaultBackend: { resource: { apiGroup: "a-markup", kind: "a-markup", name: "a-markup" } },
      tls: [{ secretName: "a-markup", hosts: ["a-markup"] }],
      rules: [
        { host: "a-markup", http: { paths: [{ path: "/a-markup", pathType: "Prefix", backend }] } },
        { host: "a-script", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } },
      ],
    },
  });
  await cluster.setAddresses("shop", "evil", [{ hostname: "a-markup" }]);
  await cluster.create("shop", "a-markup");
  await cluster.create("a-markup", "foreign");
  await cluster.create("shop", "good");
  const dashboard = await start({ kubeconfig: kubeconfigFor(forgery.url) });
  await expect.poll(() => dashboard.isReady()).toBe(true);

  // Rendered by the server first, then by the browser.
  await ingresses.open(dashboard.url);
  const row = ingresses.row("evil");
  await expect(row).toContainText("<img src=x");
  await expect(ingresses.row("good")).toBeVisible();
  const height = async (name: string) => (await ingresses.row(name).boundingBox())?.height;
  expect(await height("evil")).toBe(await height("good"));
  await nothingRan(page);
  await fitsTheWindow(page);
  await cluster.patch("shop", "evil", { metadata: { labels: { other: "a-markup" } } });
  await row.getByRole("button", { name: /more hosts/ }).click();
  await expect(page.getByRole("dialog", { name: "2 hosts of evil" })).toContainText("javascript:window.__xss=1");
  await expect(page.locator("a[href^=javascript]")).toHaveCount(0);
  await page.keyboard.press("Escape");

  await ingresses.name("evil").click();
  for (const tab of ["Overview", "Routing", "TLS", "Labels", "YAML"]) {
    await ingresses.details("evil").getByRole("tab", { name: tab }).click();
    await expect(page.getByRole("tabpanel", { name: tab })).toContainText("<script>");
    await nothingRan(page);
    await fitsTheWindow(page);
  }

  await page.goto(dashboard.url);
  for (const text of [markup, "<b>bold</b>"]) {
    await ingresses.search.fill(text);
    await nothingRan(page);
    await page.reload();
    await ingresses.isLive();
    await expect(ingresses.search).toHaveValue(text);
    await nothingRan(page);
  }
  const address = new URLSearchParams({ ns: `shop,${markup}`, sel: `shop/${markup}`, [markup]: markup });
  await ingresses.open(`${dashboard.url}?${address.toString()}`);
  await expect(page.getByText("Part of the address is left out.")).toBeVisible();
  await nothingRan(page);
  await page.close();
  await forgery.stop();
});

test("no text turns the order of letters around", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { annotations: { "example.com/file": "invoice\u202Egnp.exe" }, path: "/a\u202Eb" });
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toContainText("/a\\u202Eb");
  await ingresses.name("cart").click();
  await ingresses.details("cart").getByRole("tab", { name: "YAML" }).click();
  await expect(page.getByRole("tabpanel", { name: "YAML" })).toContainText("invoice\\u202Egnp.exe");
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
  await expect(ingresses.yaml).toContainText("-end");
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
