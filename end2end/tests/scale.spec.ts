import type { Ingress } from "../support/api.ts";
import { expect, test } from "../support/test.ts";

test.describe("while rows come and go above, in and below the window", () => {
  test.use({ size: { namespaces: 12, ingresses: 300 } });

  test("what is in sight is what belongs there, wherever one scrolls", async ({ page, request, cluster, dashboard, ingresses }) => {
    test.slow();
    await ingresses.open(dashboard.url);
    await expect(page.getByRole("contentinfo")).toContainText("300 ingresses");
    await ingresses.leave();
    // By its id: to look for it by its role takes longer than what is looked at.
    const table = page.locator(".tablewrap");
    const { items } = (await (await request.get(`${dashboard.url}api/ingresses`)).json()) as { items: Ingress[] };
    const rows = items.map(({ namespace, name }) => ({ namespace, name }));
    // The same moves in each run (a linear congruential generator).
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let step = 0; step < 60; step += 1) {
      const at = random(rows.length);
      const { namespace, name } = rows[at] ?? { namespace: "", name: "" };
      if (step % 3 === 0) {
        rows.push({ namespace, name: `${name.slice(0, 2)}-${step}` });
        await cluster.create(namespace, `${name.slice(0, 2)}-${step}`);
      } else if (step % 3 === 1) {
        await cluster.patch(namespace, name, { spec: { ingressClassName: `class-${step}` } });
      } else if (step > 30 || step % 2 === 0) {
        rows.splice(at, 1);
        await cluster.delete(namespace, name);
      }
      await table.evaluate((table, by) => table.scrollBy(0, by), random(1400) - 600);
    }

    const wanted = rows.sort(byName).map(({ namespace, name }, index) => `${index + 2} ${namespace}/${name}`);
    await expect(page.getByRole("contentinfo")).toContainText(`${rows.length} ingresses`);
    // From the top to the end: each row once, at its place, and no hole between two.
    const inSight = () =>
      table.evaluate((table) => {
        const { bottom } = table.getBoundingClientRect();
        const top = table.querySelector("thead th")?.getBoundingClientRect().bottom ?? 0;
        const rows = [...table.querySelectorAll<HTMLElement>("tbody tr[data-place]:not([hidden])")];
        const seen = rows.filter((row) => {
          const box = row.getBoundingClientRect();
          return box.top < bottom && box.bottom > top;
        });
        const name = (row: Element) => `${row.querySelector<HTMLElement>(".ns")?.title}/${row.querySelector<HTMLElement>(".nm")?.title}`;
        return seen.map((row) => `${row.getAttribute("aria-rowindex")} ${name(row)}`);
      });
    const height = await table.evaluate((table) => table.scrollHeight);
    for (let at = 0; at < height; at += 700) {
      await table.evaluate((table, at) => table.scrollTo(0, at), at);
      const expected = async () => {
        const rows = await inSight();
        const first = wanted.indexOf(rows[0] ?? "");
        return rows.length > 10 && rows.join() === wanted.slice(first, first + rows.length).join();
      };
      await expect.poll(expected, { message: `${at} px from the top`, intervals: [20] }).toBe(true);
    }
    expect((await inSight()).at(-1)).toBe(wanted.at(-1));
  });
});

test.describe("with the keyboard alone, while rows come and go", () => {
  test.use({ size: { namespaces: 12, ingresses: 300 } });

  test("the focus is on the row that a key goes to, and Enter opens it", async ({ page, cluster, dashboard, ingresses }) => {
    await ingresses.open(dashboard.url);
    await expect(page.getByRole("contentinfo")).toContainText("300 ingresses");
    const press = async (key: string) => {
      const changes = async () => {
        for (const name of ["a-1", "m-1", "z-1"]) {
          await cluster.create("shop", name);
          await cluster.patch("shop", name, { spec: { ingressClassName: key.toLowerCase() } });
          await cluster.delete("shop", name);
        }
      };
      await Promise.all([changes(), page.keyboard.press(key)]);
    };
    const focused = async () => {
      const row = page.locator(".tablewrap tr[data-place]:focus-within");
      await expect(row).toBeInViewport();
      // Its number is of no use: those above come and go.
      const title = async (part: string) => (await row.locator(part).getAttribute("title")) ?? "";
      return { name: await title(".nm"), namespace: await title(".ns") };
    };
    await press("j");
    await press("j");
    let before = await focused();
    for (const [key, further] of [["PageDown", 1], ["PageDown", 1], ["PageUp", -1], ["End", 1], ["PageUp", -1], ["Home", -1], ["PageDown", 1]] as const) {
      await press(key);
      await expect.poll(async () => byName(await focused(), before), { message: key }).toBe(further);
      before = await focused();
    }
    await press("Enter");
    await expect(ingresses.details(before.name)).toBeVisible();
    await press("Escape");
    expect((await focused()).name).toBe(before.name);

    // A wheel takes the row out of sight; what the keys do goes on from it.
    await ingresses.table.evaluate((table) => table.scrollTo(0, table.scrollHeight));
    await expect(ingresses.table).toBeFocused();
    await press("k");
    await expect.poll(async () => byName(await focused(), before)).toBe(-1);
  });
});

type Named = Pick<Ingress, "namespace" | "name">;

function byName(a: Named, b: Named): number {
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return order(a.name, b.name) || order(a.namespace, b.namespace);
}

test.describe("10,500 ingresses", () => {
  test.use({ size: { namespaces: 3200, ingresses: 10_500 } });

  test("the last one is scrolled to in a constant number of elements", async ({
    page,
    request,
    dashboard,
    ingresses,
  }) => {
    test.slow();
    await ingresses.open(dashboard.url);
    await expect(page.getByRole("contentinfo")).toContainText("10,500 ingresses");
    await expect(ingresses.table.getByRole("table")).toHaveAttribute("aria-rowcount", "10501");
    const elements = page.locator(".tablewrap tbody tr");
    const before = await elements.count();

    const { items } = (await (await request.get(`${dashboard.url}api/ingresses`)).json()) as { items: Ingress[] };
    items.sort(byName);
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
});
