// What a browser says of its own work, and the table of figures.

import { writeFileSync } from "node:fs";
import type { CDPSession, Page } from "@playwright/test";

/** One line of the table. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** At most this much; absent where it is only reported. */
  goal?: number;
}

/** A task of the page's main thread, in milliseconds on the trace's clock. */
export interface Task {
  start: number;
  duration: number;
  /** Processor time: without what other processes of a busy machine took. */
  processor: number;
}

interface TraceEvent {
  name: string;
  ph: string;
  ts: number;
  dur?: number;
  tdur?: number;
  pid: number;
  tid: number;
  args: { name?: string; data?: { type?: string } };
}

/** What happened on the main thread of a page. */
export interface Trace {
  tasks: Task[];
  /** When a key was handed to the page. */
  keys: number[];
}

/** Traces a page with the browser's own tracing while something is done to it. */
export async function traced(page: Page, act: () => Promise<void>): Promise<Trace> {
  const browser = page.context().browser();
  if (!browser) throw new Error("the page has no browser");
  await browser.startTracing(page, { categories: ["-*", "toplevel", "devtools.timeline", "__metadata"] });
  await act();
  const text = (await browser.stopTracing()).toString();
  const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
  if (process.env.KUBE_INGRESS_DASH_TRACE) writeFileSync(process.env.KUBE_INGRESS_DASH_TRACE, text);
  const dispatched = traceEvents.filter((event) => event.name === "EventDispatch");
  const typed = dispatched.filter((event) => event.args.data?.type === "keydown");
  const mains = traceEvents.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain");
  // The renderer that did most: a browser keeps a spare one.
  const work = (main: TraceEvent) =>
    traceEvents.filter((event) => event.pid === main.pid && event.tid === main.tid && isTask(event));
  const tasks = mains.map(work).reduce((most, tasks) => (tasks.length > most.length ? tasks : most), []);
  return {
    tasks: tasks.map(({ ts, dur = 0, tdur = 0 }) => ({ start: ts / 1000, duration: dur / 1000, processor: tdur / 1000 })),
    keys: typed.map((event) => event.ts / 1000),
  };
}

function isTask(event: TraceEvent): boolean {
  return event.ph === "X" && event.name.endsWith("RunTask");
}

/** Memory that a page holds after a collection of garbage, in bytes. */
export async function memory(page: Page, session: CDPSession): Promise<{ js: number; wasm: number }> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return { js: usedSize, wasm: await page.evaluate("wasmMemory()") };
}

/** Makes `wasmMemory()` known to the page: the size of the module's memory, which the heap does not count. */
export async function observeWasm(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const known: WebAssembly.Memory[] = [];
    const note = ({ instance }: WebAssembly.WebAssemblyInstantiatedSource) => {
      if (instance.exports.memory instanceof WebAssembly.Memory) known.push(instance.exports.memory);
    };
    const instantiate = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (source, imports) => {
      const made = await instantiate(source, imports);
      note(made);
      return made;
    };
    Object.assign(globalThis, {
      wasmMemory: () => known.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
    });
  });
}

/** The value below which this share of the values is. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
}

/** The figures as a table of Markdown. */
export function table(figures: Figure[]): string {
  const digits = (value: number) => Number(value.toPrecision(3)).toLocaleString("en");
  const rows = figures.map(({ what, value, unit, goal }) => {
    const verdict = goal === undefined ? "" : value <= goal ? "goal" : "MISSED";
    return [`${what}, ${unit}`, digits(value), goal === undefined ? "" : digits(goal), verdict];
  });
  const all = [["figure", "measured", "goal", "verdict"], ...rows];
  const width = (column: number) => Math.max(...all.map((cells) => cells[column]?.length ?? 0));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(width(column))).join(" | ")} |`;
  const [head = [], ...body] = all;
  const rule = head.map((_, column) => "-".repeat(width(column)));
  return [line(head), line(rule), ...body.map(line)].join("\n");
}
