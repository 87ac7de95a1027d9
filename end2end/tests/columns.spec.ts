import { expect, test } from "../support/test.ts";
import type { Ingresses } from "../support/ingresses.ts";

/** The headings that are shown, from left to right. */
function headings(ingresses: Ingresses) {
  return ingresses.table.getByRole("columnheader").getByRole("button");
}

test("whichever column is made narrower, its edge stays under the pointer and the others keep their widths", async ({
  page,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart", { hosts: ["a-host-with-a-name-that-is-longer-than-any-column-of-this-window.example.com"] });
  await ingresses.open(dashboard.url);
  const cells = ingresses.table.getByRole("columnheader");
  const widths = () => cells.evaluateAll((cells) => cells.map((cell) => Math.round(cell.getBoundingClientRect().width)));
  const names = ["Name", "Namespace", "Hosts", "Path and backend", "Class", "Address", "TLS"];
  const at = async (name: string) => (await cells.allTextContents()).findIndex((text) => text.startsWith(name));
  const before = await widths();
  for (const name of names) {
    const box = (await cells.nth(await at(name)).boundingBox())!;
    await page.mouse.move(box.x + box.width - 3, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 23, box.y + 10, { steps: 4 });
    await page.mouse.up();
    before[await at(name)]! -= 20;
    const tail = before.length - 1;
    await expect.poll(async () => (await widths()).slice(0, tail)).toEqual(before.slice(0, tail));
  }
  // What is in the hosts is wider than the window has room for: they take what there is.
  const hosts = (await cells.nth(await at("Hosts")).boundingBox())!;
  await page.mouse.dblclick(hosts.x + hosts.width - 3, hosts.y + 10);
  await expect.poll(async () => (await widths())[await at("Hosts")]).toBeGreaterThan(hosts.width + 100);
  expect(await page.locator(".tablewrap").evaluate((window) => window.scrollWidth - window.clientWidth)).toBe(0);
});

test("columns are hidden, moved and sized, and stay so over a reload, from the server's first markup on", async ({
  page,
  request,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart");
  await ingresses.open(dashboard.url);
  await expect(headings(ingresses)).toHaveText([
    "Name",
    "Namespace",
    "Hosts",
    "Path and backend",
    "Class",
    "Address",
    "TLS",
    "Age",
  ]);

  await page.getByRole("button", { name: "Columns" }).click();
  const menu = page.getByRole("dialog", { name: "Columns" });
  await expect(menu.getByRole("checkbox", { name: "Name", exact: true })).toBeDisabled();
  await menu.getByRole("checkbox", { name: "Class" }).uncheck();
  await menu.getByRole("checkbox", { name: "Address" }).uncheck();
  await expect(menu).toContainText("6 of 8");
  await menu.getByRole("button", { name: "Move TLS" }).focus();
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowUp");
  // Each finds another column where the focus still is.
  await page.evaluate(async () => {
    for (let step = 0; step < 2; step += 1) {
      const event = new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true, cancelable: true });
      document.activeElement?.dispatchEvent(event);
      // Long enough for the list to be drawn anew, not for the next frame.
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  });
  await expect(menu.getByRole("button", { name: "Move TLS" })).toBeFocused();
  const grip = menu.getByRole("button", { name: "Move Age" });
  await grip.dragTo(menu.getByText("Namespace", { exact: true }), { targetPosition: { x: 5, y: 2 } });
  await page.keyboard.press("Escape");
  const order = ["Name", "TLS", "Age", "Namespace", "Hosts", "Path and backend"];
  await expect(headings(ingresses)).toHaveText(order);
  await expect(ingresses.row("cart").getByRole("cell", { name: "nginx" })).toHaveCount(0);

  const name = ingresses.table.getByRole("columnheader", { name: "Name", exact: true });
  const width = async () => (await name.boundingBox())?.width ?? 0;
  const before = await width();
  await name.getByRole("button").focus();
  for (let step = 0; step < 5; step += 1) await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(width).toBe(before + 80);
  const box = await name.boundingBox();
  const edge = { x: (box?.x ?? 0) + (box?.width ?? 0) - 3, y: (box?.y ?? 0) + 10 };
  await page.mouse.move(edge.x, edge.y);
  await page.mouse.down();
  await page.mouse.move(edge.x + 40, edge.y, { steps: 4 });
  await page.mouse.up();
  await expect.poll(width).toBe(before + 120);

  // The edge of any column stays under the pointer, and the others keep their widths.
  const widths = () =>
    ingresses.table.getByRole("columnheader").evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().width));
  const unmoved = await widths();
  for (const by of [-60, 90]) {
    const hosts = await ingresses.table.getByRole("columnheader", { name: "Hosts" }).boundingBox();
    const grip = { x: (hosts?.x ?? 0) + (hosts?.width ?? 0) - 3, y: (hosts?.y ?? 0) + 10 };
    await page.mouse.move(grip.x, grip.y);
    await page.mouse.down();
    await page.mouse.move(grip.x + by, grip.y, { steps: 5 });
    await page.mouse.up();
    unmoved[4] = Math.round(unmoved[4] ?? 0) + by;
    await expect.poll(async () => (await widths()).map(Math.round)).toEqual(unmoved.map(Math.round));
  }
  // Two presses fit the column to what is in it.
  await page.mouse.dblclick((await name.boundingBox())!.x + (await width()) - 3, edge.y);
  await expect.poll(width).toBeLessThan(before);
  await expect(ingresses.row("cart").locator(".nm .mid")).not.toHaveAttribute("data-cut");
  await name.getByRole("button").focus();
  while ((await width()) < before + 120) await page.keyboard.press("Shift+ArrowRight");
  const kept = await width();

  await page.reload();
  await ingresses.isLive();
  await expect(headings(ingresses)).toHaveText(order);
  expect(await width()).toBe(kept);
  const html = await (await page.request.get(dashboard.url)).text();
  expect(html.indexOf('data-sort="tls"')).toBeLessThan(html.indexOf('data-sort="ns"'));
  expect(html).not.toContain('data-sort="class"');
  // The choice is a person's, not the server's.
  expect(await (await request.get(dashboard.url)).text()).toContain('data-sort="class"');

  await page.getByRole("button", { name: "Columns" }).click();
  await menu.getByRole("button", { name: "Reset" }).click();
  await expect(headings(ingresses)).toHaveCount(8);
  await expect.poll(width).toBe(before);
});

test("rows are sorted by any column", async ({ page, cluster, dashboard, ingresses }) => {
  const tls = [{ secretName: "a-tls" }];
  await cluster.create("x", "one", { className: "c", hosts: ["b.example.com"], path: "/b", tls });
  await cluster.create("z", "two", { className: "a", hosts: ["c.example.com"], path: "/c" });
  await cluster.create("y", "three", { className: "b", hosts: ["a.example.com"], path: "/a" });
  await cluster.setAddresses("x", "one", [{ ip: "192.0.2.2" }]);
  await cluster.setAddresses("z", "two", [{ ip: "192.0.2.1" }]);
  await ingresses.open(dashboard.url);
  await expect(ingresses.row("two")).toContainText("192.0.2.1");
  for (const [heading, names] of [
    ["Namespace", ["one", "three", "two"]],
    ["Hosts", ["three", "one", "two"]],
    ["Path and backend", ["three", "one", "two"]],
    ["Class", ["two", "three", "one"]],
    ["Address", ["two", "one", "three"]],
    ["TLS", ["three", "two", "one"]],
    ["Name", ["one", "three", "two"]],
  ] as const) {
    await ingresses.table.getByRole("columnheader", { name: heading, exact: true }).getByRole("button").click();
    await ingresses.leave();
    await expect(ingresses.names).toHaveText([...names]);
  }
  await expect(page).not.toHaveURL(/sort/);
});

test("rows are put together by class, host suffix and TLS with counts, and groups close", async ({
  page,
  request,
  cluster,
  dashboard,
  ingresses,
}) => {
  await cluster.create("shop", "cart", { hosts: ["cart.shop.example.com"], tls: [{ secretName: "cart-tls" }] });
  await cluster.create("shop", "pay", { hosts: ["pay.shop.example.com"], className: "traefik" });
  await cluster.create("docs", "wiki", { hosts: ["wiki.example.com"] });
  await ingresses.open(dashboard.url);
  const lines = ingresses.table.locator("tbody tr[data-place]:not([hidden]) > th");
  const groupBy = async (name: string) => {
    await page.getByRole("button", { name: /^Group: / }).click();
    await page.getByRole("menuitemradio", { name }).click();
    await ingresses.leave();
  };

  await groupBy("Class");
  await expect(lines).toHaveText(["nginx 2 ingresses", "cart", "wiki", "traefik 1 ingress", "pay"]);
  await expect(page).toHaveURL(/[?&]group=class/);
  await expect(ingresses.table.getByRole("table")).toHaveAttribute("aria-rowcount", "6");
  const html = await (await request.get(page.url())).text();
  expect(html).toContain('data-value="traefik"');
  await groupBy("Host suffix");
  await expect(lines).toHaveText(["example.com 1 ingress", "wiki", "shop.example.com 2 ingresses", "cart", "pay"]);
  await groupBy("TLS");
  await expect(lines).toHaveText(["With TLS 1 ingress", "cart", "Without TLS 2 ingresses", "pay", "wiki"]);
  await groupBy("Namespace");
  await expect(lines).toHaveText(["docs 1 ingress", "wiki", "shop 2 ingresses", "cart", "pay"]);

  const shop = ingresses.table.getByRole("button", { name: /^shop/ });
  await shop.click();
  await ingresses.leave();
  await expect(shop).toHaveAttribute("aria-expanded", "false");
  await expect(lines).toHaveText(["docs 1 ingress", "wiki", "shop 2 ingresses"]);
  await cluster.create("shop", "unseen");
  // The focus is still in the table, and holds its rows until this key.
  await page.keyboard.press(".");
  await expect(lines).toHaveText(["docs 1 ingress", "wiki", "shop 3 ingresses"]);

  await page.keyboard.press("Home");
  await expect(ingresses.table.getByRole("button", { name: /^docs/ })).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(shop).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(shop).toHaveAttribute("aria-expanded", "true");
  await page.reload();
  await ingresses.isLive();
  await expect(lines).toHaveText(["docs 1 ingress", "wiki", "shop 3 ingresses", "cart", "pay", "unseen"]);
});

test("rows do not move while the focus is in one of them, until it leaves", async ({ page, cluster, dashboard, ingresses }) => {
  await cluster.create("shop", "m");
  await ingresses.open(dashboard.url);
  await page.keyboard.press("j");
  await expect(ingresses.name("m")).toBeFocused();
  await cluster.create("shop", "a");
  await cluster.create("shop", "b");
  const waiting = page.getByRole("button", { name: "2 updates waiting" });
  await expect(waiting).toBeVisible();
  await expect(ingresses.names).toHaveText(["m"]);
  await page.keyboard.press(".");
  await expect(ingresses.names).toHaveText(["a", "b", "m"]);
  await expect(waiting).toHaveCount(0);
});
