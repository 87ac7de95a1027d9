import type { Page } from "@playwright/test";
import { expect, test } from "../support/test.ts";

test.use({ permissions: ["clipboard-read", "clipboard-write"] });

async function clipboard(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

test("details follow their ingress, with the YAML of the object as it is", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", {
    hosts: ["cart.example.com", "basket.example.com"],
    labels: { team: "checkout" },
    annotations: { "example.com/note": "first" },
  });
  await ingresses.open(dashboard.url);
  await ingresses.name("cart").click();

  const details = ingresses.details("cart");
  await expect(details.getByRole("tabpanel")).toContainText("basket.example.com");
  await expect(page).toHaveURL(/[?&]sel=shop\/cart/);
  await details.getByRole("tab", { name: "Labels" }).click();
  await expect(details.getByRole("tabpanel")).toContainText("checkout");
  await details.getByRole("tab", { name: "YAML" }).click();
  const { yaml } = ingresses;
  await expect(yaml).toContainText("kind: Ingress");
  await expect(yaml).toContainText("example.com/note: first");
  await expect(yaml).not.toContainText("managedFields");

  await cluster.patch("shop", "cart", { metadata: { annotations: { "example.com/note": "second" } } });
  await expect(yaml).toContainText("example.com/note: second");

  await cluster.delete("shop", "cart");
  await expect(details).toContainText(/Deleted at \d\d:\d\d:\d\d/);
  await expect(yaml).toContainText("example.com/note: second");
});

test("an address with a selection opens its details, and back closes them", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=yaml`);
  await expect(ingresses.yaml).toContainText("name: cart");

  await ingresses.open(dashboard.url);
  await ingresses.name("cart").click();
  await expect(ingresses.details("cart")).toBeVisible();
  await page.goBack();
  await expect(ingresses.details("cart")).toHaveCount(0);
});

test("the keys move, open and close, and the focus returns", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) await cluster.create("shop", name);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["a", "b", "c"]);

  await page.keyboard.press("/");
  await expect(ingresses.search).toBeFocused();
  await page.keyboard.type("jk/");
  await expect(ingresses.search).toHaveValue("jk/");
  await page.keyboard.press("Escape");
  await expect(ingresses.search).toHaveAttribute("aria-expanded", "false");
  await page.keyboard.press("Escape");
  await expect(ingresses.search).toHaveValue("");
  await ingresses.search.blur();

  await page.keyboard.press("j");
  await expect(ingresses.name("a")).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(ingresses.name("c")).toBeFocused();
  await page.keyboard.press("k");
  await expect(ingresses.name("b")).toBeFocused();

  await page.keyboard.press("Enter");
  await expect(ingresses.details("b")).toBeVisible();
  await page.keyboard.press("j");
  await expect(ingresses.details("c")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("tablist")).toHaveCount(0);
  await expect(ingresses.name("c")).toBeFocused();

  await page.keyboard.press("n");
  await expect(ingresses.picker.getByRole("searchbox")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(ingresses.picker).toHaveCount(0);
  await expect(ingresses.name("c")).toBeFocused();
});

test("the list of rows is one tab stop", async ({ page, cluster, dashboard, ingresses }) => {
  for (const name of ["a", "b", "c"]) await cluster.create("shop", name);
  await ingresses.open(dashboard.url);
  await expect(ingresses.names).toHaveText(["a", "b", "c"]);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(ingresses.name("b")).toBeFocused();
  for (const name of ["a", "c"]) await expect(ingresses.name(name)).toHaveAttribute("tabindex", "-1");
  await expect(ingresses.name("b")).toHaveAttribute("tabindex", "0");
});

test("the changes seen since the page was opened are told, newest first", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { labels: { team: "checkout" } });
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=changes`);
  const panel = page.getByRole("tabpanel", { name: "Changes" });
  await expect(panel).toContainText("None. A change appears here by itself.");

  await cluster.patch("shop", "cart", { spec: { ingressClassName: "traefik" } });
  await expect(panel.locator("del")).toHaveText(["class: nginx"]);
  await expect(panel.locator("ins")).toHaveText(["class: traefik"]);
  await expect(panel.getByRole("listitem")).toContainText(/\d\d:\d\d:\d\d/);
  await cluster.patch("shop", "cart", { metadata: { labels: { team: null, env: "prod" } } });
  await expect(panel.getByRole("listitem").first()).toContainText("label: team=checkout");
  await expect(panel.getByRole("listitem").first()).toContainText("label: env=prod");
  await expect(page.getByRole("tab", { name: "Changes 2" })).toBeVisible();
  await cluster.patch("shop", "cart", { metadata: { annotations: { "example.com/note": "a" } } });
  // Two changes on each other's heels are one: the stream carries what is so now, not how it came about.
  await expect(panel.getByRole("listitem").first()).toContainText("annotation: example.com/note");
  await cluster.patch("shop", "cart", { metadata: { annotations: { "example.com/note": "b" } } });
  await expect(panel.getByRole("listitem").first()).toContainText("Something that the row does not show");
});

test("the YAML is coloured and downloads as it is shown", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { annotations: { "example.com/note": "50 % & more #1" } });
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=yaml`);
  await expect(ingresses.yaml).toContainText("kind: Ingress");
  await expect(ingresses.yaml.locator(".ck").filter({ hasText: /^kind$/ })).toHaveCount(1);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("shop-cart.yaml");
  const stream = await file.createReadStream();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const lines = await ingresses.yaml.locator(".l").allTextContents();
  expect(Buffer.concat(chunks).toString().trimEnd()).toBe(lines.join("\n").trimEnd());
});

test("a deleted ingress keeps its last YAML, is a change, and is not to be asked for any more", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com", "shop.example.com"], annotations: { note: "last" } });
  await cluster.create("shop", "other", { hosts: ["shop.example.com"] });
  await ingresses.open(dashboard.url);
  // The YAML is read without its tab being opened.
  const read = page.waitForResponse(/ingress_yaml/);
  await ingresses.name("cart").click();
  await read;
  const details = ingresses.details("cart");
  await expect(details.getByRole("button", { name: "Copy kubectl command" })).toBeVisible();
  await ingresses.leave();
  await cluster.delete("shop", "cart");
  await expect(details).toContainText(/Deleted at \d\d:\d\d:\d\d/);
  await expect(details.getByRole("button", { name: /kubectl|curl|Markdown/ })).toHaveCount(0);
  const left = details.getByRole("listitem").filter({ hasText: "no route" });
  await expect(left).toHaveText(["cart.example.com has no route any more."]);

  await details.getByRole("button", { name: "Copy last YAML" }).click();
  await expect.poll(() => clipboard(page)).toContain("note: last");
  await details.getByRole("tab", { name: "YAML" }).click();
  await expect(ingresses.yaml).toContainText("note: last");
  await expect(page.getByRole("tabpanel")).not.toContainText(/Loading|could not be read/);
  await expect(page.getByRole("link", { name: "Open as a document" })).toHaveCount(0);
  await details.getByRole("tab", { name: "Changes 1" }).click();
  await expect(page.getByRole("tabpanel").getByRole("listitem")).toContainText([/\d\d:\d\d:\d\d.*The ingress is deleted/]);
});

test("a copy is seen in its button, that of a key in a line, and each is announced", async ({
  page,
  cluster,
  dashboard,
  ingresses,
  complaints,
}) => {
  complaints.expect(/net::ERR_/);
  await cluster.create("shop", "cart");
  await page.clock.install();
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const details = ingresses.details("cart");
  const button = details.getByRole("button", { name: "Copy kubectl command" });
  const icon = button.locator("use");
  const toast = page.locator(".toast");
  await page.clock.pauseAt(Date.now() + 5_000);
  await button.click();
  await expect(icon).toHaveAttribute("href", "#i-check");
  await expect(toast).toHaveCount(0);
  const said = page.locator("[role=status][aria-live]");
  await expect(said).toHaveText("Copied");
  await page.clock.runFor(1_250);
  await expect(icon).toHaveAttribute("href", "#i-terminal");

  // The same words are a change of the text, or nobody would hear them.
  const first = await said.evaluate((said) => said.textContent);
  await button.click();
  await expect.poll(() => said.evaluate((said) => said.textContent)).not.toBe(first);
  await expect(said).toHaveText("Copied");

  await page.keyboard.press("c");
  await expect(toast).toHaveText("Copied the kubectl command");
  await page.keyboard.press("y");
  await expect(toast).toHaveText("Copied the YAML");
  await page.clock.runFor(5_000);
  await expect(toast).toHaveCount(0);

  await page.route(/ingress_yaml/, (route) => route.abort());
  await page.keyboard.press("y");
  await expect(toast).toHaveText("The object could not be read: The server could not be reached.");
});

test("what the table cuts the details write out, and the TLS tab names the host that no entry covers", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  const name = "recommendation-engine-shadow-holdout";
  const host = `${name}.experiments.eu-central-1.internal.example.com`;
  await cluster.create("shop", name, {
    hosts: [host, "bare.example.com"],
    path: `/${"long-".repeat(20)}`,
    service: `${name}-primary`,
    tls: [{ secretName: `${name}-of-the-shop-tls`, hosts: [host] }],
    labels: { [`${"l".repeat(60)}.example.com/team`]: "v".repeat(63) },
    annotations: { [`${"a".repeat(60)}.example.com/note`]: "x" },
  });
  await ingresses.open(dashboard.url);
  await ingresses.name(name).click();
  const panel = page.getByRole("tabpanel");
  const cut = () =>
    page.locator("#details").evaluate((drawer) => {
      const edge = drawer.getBoundingClientRect().right;
      const panel = [...drawer.querySelectorAll(".dbody *")].filter((element) => element.checkVisibility());
      // The lock and its secret are one line in the table too, with the secret in their title.
      const hidden = panel.filter((element) => !element.closest(".facts .st") && !element.matches(".sr, svg, use"));
      return hidden
        .filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === "hidden")
        .concat(panel.filter((element) => element.getBoundingClientRect().right > edge + 1))
        .map((element) => element.outerHTML);
    });
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 });
    for (const tab of ["Overview", "Routing", "TLS", "Labels"]) {
      await page.getByRole("tab", { name: tab }).click();
      await expect(page.getByRole("tabpanel", { name: tab })).toBeVisible();
      expect(await cut()).toEqual([]);
    }
  }
  await page.getByRole("tab", { name: "TLS" }).click();
  await expect(panel).toContainText("No entry covers 1 host");
  await expect(panel).toContainText("bare.example.com");
  await page.getByRole("tab", { name: "Routing" }).click();
  await expect(panel).toContainText("There is no default backend: what no rule matches gets the controller's own answer");
  // The strip of tabs scrolls where it is wider than the window.
  await page.getByRole("tab", { name: "Changes" }).click();
  await expect(page.getByRole("tab", { name: "Changes" })).toBeInViewport({ ratio: 0.99 });
});

test("the YAML tab names the version of the object", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart");
  await ingresses.open(`${dashboard.url}?sel=shop/cart&tab=yaml`);
  await expect(page.getByRole("tabpanel")).toContainText(/resourceVersion \d+, without managedFields/);
});

test("an ingress is copied for an incident: as Markdown, and as a request to its address", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com"], path: "/basket", tls: [{ secretName: "cart-tls" }] });
  await cluster.setAddresses("shop", "cart", [{ ip: "203.0.113.88" }]);
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("cart")).toContainText("203.0.113.88");
  await ingresses.name("cart").click();
  const details = ingresses.details("cart");
  await details.getByRole("button", { name: "Copy curl command" }).click();
  const command = "curl -v --resolve cart.example.com:443:203.0.113.88 https://cart.example.com/basket";
  await expect.poll(() => clipboard(page)).toBe(command);
  await details.getByRole("button", { name: "Copy as Markdown" }).click();
  await expect.poll(() => clipboard(page)).toContain("**Ingress `shop/cart`** in cluster `test`");
  const lines = (await clipboard(page)).split("\n");
  for (const line of [
    "- Route: `cart.example.com/basket` \u2192 `cart:8080`",
    "- Class: `nginx`",
    "- TLS: `cart-tls` for every host",
    "- Address: `203.0.113.88`",
    `- Link: <${dashboard.url}?sel=shop/cart>`,
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.at(-1)).toMatch(/^- As of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(live\)$/);

  await ingresses.row("cart").getByRole("rowheader").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Copy curl command" }).click();
  await expect(page.locator(".toast")).toHaveText("Copied the curl command");
  await expect.poll(() => clipboard(page)).toBe(command);
});

test("two picked ingresses are compared line by line", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com"], className: "nginx" });
  await cluster.create("shop", "cart-canary", { hosts: ["cart.example.com"], className: "traefik", service: "cart" });
  await cluster.create("shop", "other");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  const compare = page.getByRole("toolbar").getByRole("button", { name: "Compare" });
  await expect(compare).toHaveCount(0);
  await page.keyboard.press("Shift+ArrowDown");
  await compare.click();
  const dialog = page.getByRole("dialog", { name: "Compare" });
  await expect(dialog).toContainText("shop/cart-canary");
  await expect(dialog).toContainText("4 lines differ.");
  await expect(dialog.locator(".both .del")).toHaveText([/name: cart$/, /ingressClassName: nginx/]);
  await expect(dialog.locator(".both .ins")).toHaveText([/name: cart-canary$/, /ingressClassName: traefik/]);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await ingresses.row("other").getByRole("cell", { name: "nginx" }).click({ modifiers: ["ControlOrMeta"] });
  await expect(page.getByRole("toolbar")).toContainText("3 picked");
  await expect(compare).toHaveCount(0);
});

test("an ingress that is deleted as soon as its details are open keeps its YAML", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { hosts: ["cart.example.com"] });
  await ingresses.open(dashboard.url);
  // Time stands: whatever waits before it reads would never read.
  await page.clock.install();
  const read = page.waitForResponse((response) => response.url().includes("yaml"));
  await ingresses.name("cart").click();
  await read;
  await cluster.delete("shop", "cart");
  await expect(page.locator(".gonebar")).toContainText("Deleted at");
  await page.keyboard.press("y");
  await expect.poll(() => clipboard(page)).toContain("cart.example.com");
});

test("a value in the details leaves its rows, and with Alt all others", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "cart", { className: "nginx", labels: { team: "checkout" } });
  await cluster.create("docs", "guide", { className: "traefik" });
  await ingresses.open(`${dashboard.url}?sel=shop/cart`);
  const details = ingresses.details("cart");
  await expect(ingresses.names).toHaveText(["cart", "guide"]);

  await details.getByRole("button", { name: "Only class nginx" }).click();
  await expect(ingresses.names).toHaveText(["cart"]);
  await expect(page).toHaveURL(/[?&]q=class:nginx/);
  await details.getByRole("button", { name: "Only ns shop" }).click({ modifiers: ["Alt"] });
  await expect(page).toHaveURL(/[?&]q=class:nginx(\+|%20)-ns:shop/);
});
