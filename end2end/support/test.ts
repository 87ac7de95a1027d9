// `test` with a simulated cluster, dashboards and a page that may not complain.

import { test as base, expect } from "@playwright/test";
import { Dashboard, type Options } from "./dashboard.ts";
import { Ingresses } from "./ingresses.ts";
import { Simulator, type Size } from "./simulator.ts";

export { expect };
export { Dashboard } from "./dashboard.ts";
export { Ingresses } from "./ingresses.ts";

/** What a page complained about: errors and warnings of the console, violations of the policy, dialogs. */
export class Complaints {
  private readonly heard: string[] = [];
  private readonly expected: RegExp[] = [];

  add(complaint: string): void {
    this.heard.push(complaint);
  }

  /** Some tests break something on purpose, and the browser says so. */
  expect(...patterns: RegExp[]): void {
    this.expected.push(...patterns);
  }

  get unexpected(): string[] {
    // Where requests may fail, those for the parts of the page that come later may, too.
    const mayFail = this.expected.some((pattern) => pattern.source.includes("net::ERR_"));
    const expected = mayFail ? [...this.expected, /Failed to fetch\s+at .*__wasm_split\.js/] : this.expected;
    return this.heard.filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
  }
}

interface Fixtures {
  /** How large the cluster is at the start; empty by itself. */
  size: Size;
  cluster: Simulator;
  /** Starts a dashboard, which ends with the test. */
  start: (options?: Options) => Promise<Dashboard>;
  /** A dashboard of `cluster` that has read it. */
  dashboard: Dashboard;
  ingresses: Ingresses;
  complaints: Complaints;
}

export const test = base.extend<Fixtures>({
  size: [{}, { option: true }],

  cluster: async ({ size }, use) => {
    const cluster = await Simulator.start(size);
    await use(cluster);
    await cluster.kill();
  },

  start: async ({ context }, use, testInfo) => {
    const started: Dashboard[] = [];
    await use(async (options) => {
      const dashboard = await Dashboard.start(options);
      started.push(dashboard);
      return dashboard;
    });
    // The pages go first: the end of their server is not for them to complain about.
    for (const page of context.pages()) await page.close();
    for (const dashboard of started) {
      await dashboard.kill();
      await testInfo.attach("dashboard's log", { body: dashboard.log });
    }
  },

  dashboard: async ({ start, cluster }, use) => {
    const dashboard = await start({ kubeconfig: cluster.kubeconfig });
    await expect.poll(() => dashboard.isReady(), { timeout: 30_000 }).toBe(true);
    await use(dashboard);
  },

  ingresses: async ({ page, complaints: _ }, use) => {
    await use(new Ingresses(page));
  },

  complaints: [
    async ({ context }, use) => {
      const complaints = new Complaints();
      context.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.add(`${message.type()}: ${message.text()}`);
      });
      context.on("weberror", (exception) => complaints.add(`exception: ${String(exception.error())}`));
      context.on("dialog", (dialog) => {
        complaints.add(`dialog: ${dialog.message()}`);
        return dialog.dismiss();
      });
      // The console names these too; a report-only policy would not.
      await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", (event) => {
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
        });
      });
      await use(complaints);
      expect(complaints.unexpected).toEqual([]);
    },
    { auto: true },
  ],
});
