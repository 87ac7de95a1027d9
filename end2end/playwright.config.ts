import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// Debian's Chromium where there is one, else the one that Playwright brings.
const debian = "/usr/bin/chromium";
const chromium = existsSync(debian) ? debian : undefined;

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  forbidOnly: process.env.CI === "true",
  // A machine that is busy with something else may make a browser late. What passes only at its second try is named
  // in the last lines of a run: it has found something.
  retries: process.env.CI === "true" ? 1 : 0,
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: {
    timeout: 15_000,
    // Another Chromium draws letters a little differently; a column or a colour that is off is much more.
    toHaveScreenshot: { maxDiffPixelRatio: 0.02, scale: "css" },
  },
  // The pictures are written by `npm run pictures` alone.
  updateSnapshots: "none",
  snapshotPathTemplate: "pictures/{arg}{ext}",
  reporter: "list",
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
