import { expect, test } from "../support/test.ts";

test("a page below a base path asks for nothing outside of it", async ({ page, cluster, start, ingresses }) => {
  await cluster.create("shop", "cart");
  const dashboard = await start({ kubeconfig: cluster.kubeconfig, environment: { BASE_PATH: "/dash" } });
  expect(new URL(dashboard.url).pathname).toBe("/dash/");
  const paths: string[] = [];
  page.on("request", (request) => paths.push(new URL(request.url()).pathname));

  await ingresses.open(dashboard.url);
  await cluster.create("shop", "checkout");
  await expect(ingresses.row("checkout")).toBeVisible();
  await ingresses.name("checkout").click();
  await ingresses.details("checkout").getByRole("tab", { name: "YAML" }).click();
  await expect(ingresses.yaml).toContainText("name: checkout");
  await expect(page).toHaveURL(`${dashboard.url}?sel=shop/checkout&tab=yaml`);
  await page.keyboard.press("Escape");
  await ingresses.pickerButton.click();
  await ingresses.tick("shop");
  await ingresses.picker.getByRole("button", { name: "Watch 1 namespace" }).click();
  await expect(page).toHaveURL(`${dashboard.url}?ns=shop`);
  await ingresses.chooseTheme("Dark");
  await page.reload();
  await ingresses.isLive();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.getByRole("link", { name: "kube-ingress-dash, home" }).click();
  await expect(page).toHaveURL(dashboard.url);

  expect(paths.filter((path) => !path.startsWith("/dash/"))).toEqual([]);
});
