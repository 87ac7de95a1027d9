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

test("markup in every field is text, in the rows, the details and the YAML", async ({ page, cluster, start, ingresses, complaints }) => {
  // The API server is not asked for an object whose name is none.
  complaints.expect(/status of 400/);
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
  await row.getByRole("button", { name: /more hosts?/ }).click();
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
  await expect(page.getByRole("tabpanel", { name: "Overview" })).toContainText("/a\\u202Eb");
  await ingresses.details("cart").getByRole("tab", { name: "YAML" }).click();
  await expect(page.getByRole("tabpanel", { name: "YAML" })).toContainText("invoice\\u202Egnp.exe");
  expect(await page.locator("#root").textContent()).not.toContain("\u202E");
});

test("200 hosts are one line in the table and all in the YAML", async ({ page, cluster, dashboard, ingresses }) => {
  const hosts = Array.from({ length: 200 }, (_, number) => `host-${number}.example.com`);
  await cluster.create("shop", "many", { hosts });
  await cluster.create("shop", "one");
  await ingresses.open(dashboard.url);
  const height = async (name: string) => (await ingresses.row(name).boundingBox())?.height;
  expect(await height("many")).toBe(await height("one"));

  await ingresses.row("many").getByRole("button", { name: "Show 199 more hosts of many" }).click();
  const list = page.getByRole("dialog", { name: "200 hosts of many" });
  await expect(list.getByRole("listitem")).toHaveCount(100);
  await expect(list).toContainText("100 more are in the YAML tab of the details.");
  await expect(list).toBeInViewport();
  await page.keyboard.press("Escape");

  await ingresses.name("many").click();
  await expect(ingresses.details("many").getByRole("link", { name: "host-99.example.com" })).toBeAttached();
  await ingresses.details("many").getByRole("tab", { name: "YAML" }).click();
  await expect(ingresses.yaml).toContainText("host-199.example.com");
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

test("the same path of many hosts is one line that can be copied", async ({ page, context, cluster, dashboard, ingresses }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const backend = { service: { name: "web", port: { number: 80 } } };
  const paths = (...paths: string[]) => ({ paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) });
  const hosts = Array.from({ length: 60 }, (_, number) => `tenant-${number}.example.com`);
  const rules = hosts.map((host, number) => ({ host, http: number === 7 ? paths("/", "/admin") : paths("/") }));
  await cluster.create("shop", "sixty", { spec: { ingressClassName: "nginx", rules, defaultBackend: backend } });
  await ingresses.open(dashboard.url);
  await ingresses.row("sixty").getByRole("button", { name: /more paths/ }).click();
  const list = page.getByRole("dialog", { name: "62 paths of sixty" });
  await expect(list.getByRole("listitem")).toHaveText([
    /^\/ on 60 hosts\s*web:80$/,
    /^tenant-7\.example\.com\/admin\s*web:80$/,
    /^Everything else\s*web:80$/,
  ]);
  await list.getByRole("button", { name: "Copy / on 60 hosts" }).click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe(hosts.map((host) => `${host}/`).join("\n"));
});

test("namespaces that may not be read are one line with their names, which can be hidden", async ({
  page,
  cluster,
  start,
}) => {
  const names = ["auth", "docs", "finance-eu", "media", "payments", "shop"];
  for (const name of names) await cluster.create(name, `${name}-web`);
  const deny = (...namespaces: string[]) => {
    const others = names.filter((name) => !namespaces.includes(name));
    return cluster.setRules(
      { decision: "deny", resource: "ingresses" },
      ...others.map((namespace) => ({ decision: "allow" as const, resource: "ingresses", namespace })),
    );
  };
  await deny("auth", "finance-eu");
  const dashboard = await start({ kubeconfig: cluster.kubeconfig });
  await page.goto(`${dashboard.url}?ns=${names.join(",")}`);
  const notices = page.locator(".notices");
  const line = notices.locator(".notice");
  await expect(line).toContainText(["2 of 6 namespaces not shown: auth, finance-eu."]);
  expect((await notices.boundingBox())?.height).toBeLessThanOrEqual(40);

  await page.getByRole("button", { name: "How to grant" }).click();
  const ways = page.getByRole("dialog", { name: "Not shown" });
  await expect(ways).toContainText("may not list and watch ingresses in finance-eu.");
  await expect(ways.getByRole("button", { name: "Copy command" })).toHaveCount(2);
  await page.keyboard.press("Escape");
  await expect(ways).toHaveCount(0);

  await page.getByRole("button", { name: "Hide" }).click();
  await expect(line).toHaveCount(0);
  // It is back when another one joins them.
  await deny("auth", "finance-eu", "media");
  await cluster.dropWatches();
  await expect(line).toContainText(["3 of 6 namespaces not shown: auth, finance-eu, media."], { timeout: 30_000 });
});

test("the tab and the header tell one cluster from another", async ({ page, cluster, start, ingresses }) => {
  const colours: string[] = [];
  for (const name of ["prod-eu-1", "staging"]) {
    const dashboard = await start({ kubeconfig: cluster.kubeconfig, environment: { CLUSTER_NAME: name } });
    await expect.poll(() => dashboard.isReady()).toBe(true);
    const markup = await (await page.request.get(dashboard.url)).text();
    expect(markup).toContain("<title>Ingresses · kube-ingress-dash</title>");
    await ingresses.open(dashboard.url);
    await expect(page).toHaveTitle(`${name} · Ingresses`);
    colours.push(await page.getByRole("banner").evaluate((header) => getComputedStyle(header).boxShadow));
  }
  expect(colours[0]).toContain("inset");
  expect(colours[0]).not.toBe(colours[1]);
});
