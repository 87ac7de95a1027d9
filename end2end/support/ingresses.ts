// The page as a person sees it: every part by its role and its name.

import { type Locator, type Page, expect } from "@playwright/test";

/** The one page of the dashboard. */
export class Ingresses {
  readonly badge: Locator;
  readonly search: Locator;
  readonly table: Locator;
  /** The rows that are shown; the heading is none. */
  readonly rows: Locator;
  readonly names: Locator;
  readonly picker: Locator;
  readonly pickerButton: Locator;
  readonly themeButton: Locator;

  constructor(readonly page: Page) {
    this.badge = page.getByTestId("connection");
    this.search = page.getByRole("combobox", { name: "Search and filter" });
    this.table = page.getByRole("region", { name: "Ingresses table, scrollable" });
    this.names = this.table.getByRole("rowheader");
    this.rows = this.table.getByRole("row").filter({ has: page.getByRole("rowheader") });
    this.picker = page.getByRole("dialog", { name: "Choose namespaces" });
    this.pickerButton = page.getByRole("search", { name: "Filter" }).locator("[data-popup=namespaces]");
    this.themeButton = page.getByRole("button", { name: "Theme" });
  }

  row(name: string, namespace?: string): Locator {
    const named = this.table
      .getByRole("row")
      .filter({ has: this.page.getByRole("rowheader", { name, exact: true }) });
    return namespace ? named.filter({ has: this.page.getByRole("cell", { name: namespace, exact: true }) }) : named;
  }

  /** The link in a row that opens its details. */
  name(name: string): Locator {
    return this.row(name).getByRole("rowheader").getByRole("link");
  }

  /** The YAML in the details. */
  get yaml(): Locator {
    return this.page.getByRole("tabpanel", { name: "YAML" }).locator("pre");
  }

  details(name: string): Locator {
    return this.page.getByRole("dialog", { name, exact: true });
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.isLive();
  }

  async isLive(): Promise<void> {
    await expect(this.badge).toContainText(/^Live/);
  }

  /** Takes the pointer away: rows do not move under it. */
  async leave(): Promise<void> {
    await this.page.mouse.move(1, 1);
  }

  /** Ticks a namespace in the open picker, as a person does: anywhere on its line. */
  async tick(namespace: string): Promise<void> {
    await this.picker.getByRole("listitem").getByText(namespace, { exact: true }).first().click();
    await expect(this.picker.getByRole("checkbox", { name: namespace, exact: true })).toBeChecked();
  }

  async chooseTheme(name: "Like the system" | "Light" | "Dark"): Promise<void> {
    await this.themeButton.click();
    await this.page.getByRole("menuitemradio", { name }).click();
  }

  /** Marks the document: the mark is gone after a reload. */
  async markDocument(): Promise<void> {
    await this.page.evaluate(() => Object.assign(window, { marked: true }));
  }

  async isSameDocument(): Promise<boolean> {
    return this.page.evaluate(() => "marked" in window);
  }
}
