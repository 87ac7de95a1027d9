import type { Ingress } from "../support/api.ts";
import { expect, test } from "../support/test.ts";

test.use({ size: { namespaces: 3200, ingresses: 10_500 } });

test("10,500 ingresses scroll to the last one in a constant number of elements", async ({
  page,
  request,
  dashboard,
  ingresses,
}) => {
  test.slow();
  await ingresses.open(dashboard.url);
  await expect(page.getByRole("contentinfo")).toContainText("10,500 ingresses");
  await expect(ingresses.table.getByRole("table")).toHaveAttribute("aria-rowcount", "10501");
  const elements = page.locator("#tablewrap tbody tr");
  const before = await elements.count();

  const { items } = (await (await request.get(`${dashboard.url}api/ingresses`)).json()) as { items: Ingress[] };
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  items.sort((a, b) => order(a.name, b.name) || order(a.namespace, b.namespace));
  const rowAt = (index: number) => ingresses.table.locator(`tr[aria-rowindex="${index + 2}"]:not([hidden])`);

  // Far jumps, then the end: what is in sight is what belongs there.
  for (const share of [0.5, 0.1, 0.9, 1]) {
    await ingresses.table.evaluate((table, share) => table.scrollTo(0, table.scrollHeight * share), share);
    const index = Math.min(Math.round(share * items.length), items.length - 1);
    await expect(rowAt(index)).toContainText(items[index]?.name ?? "");
    await expect(rowAt(index)).toBeInViewport();
    expect(await elements.count()).toBe(before);
  }
  await expect(rowAt(items.length - 1)).toContainText(items.at(-1)?.namespace ?? "");

  await ingresses.search.fill(`name:${items.at(-1)?.name} ns:${items.at(-1)?.namespace}`);
  await expect(ingresses.names).toHaveText([items.at(-1)?.name ?? ""]);
  await ingresses.search.fill("");
  await expect(rowAt(0)).toContainText(items[0]?.name ?? "");
  expect(await elements.count()).toBe(before);
});
