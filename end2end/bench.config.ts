// Measures the page in Chromium: `cargo xtask bench page`. No test: a slow figure is a figure.

import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

export default defineConfig({
  ...tests,
  testDir: "bench",
  testMatch: "*.ts",
  outputDir: "test-results/bench",
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 600_000,
  expect: { timeout: 60_000 },
  reporter: "line",
  use: { ...tests.use, trace: "off", screenshot: "off" },
});
