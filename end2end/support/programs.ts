// Starting and ending the programs under test.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const running = new Set<ChildProcess>();
const folders: string[] = [];
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A program with what it has printed so far. */
export class Program {
  private constructor(
    private readonly child: ChildProcess,
    private readonly printed: string[],
  ) {}

  /** Starts a program with exactly these variables; the match is of what it printed once it was ready. */
  static async start(
    path: string,
    args: string[],
    environment: Record<string, string>,
    ready: RegExp,
  ): Promise<{ program: Program; match: RegExpExecArray }> {
    const child = spawn(path, args, {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    const printed: string[] = [];
    const program = new Program(child, printed);
    const match = await new Promise<RegExpExecArray>((resolve, reject) => {
      const read = (chunk: string) => {
        printed.push(chunk);
        const match = ready.exec(program.output);
        if (match) resolve(match);
      };
      child.stdout?.setEncoding("utf8").on("data", read);
      child.stderr?.setEncoding("utf8").on("data", read);
      child.once("error", reject);
      child.once("exit", (code, signal) =>
        reject(new Error(`${path} ended with ${code ?? signal}:\n${program.output}`)),
      );
    });
    return { program, match };
  }

  /** What it printed, without colours. */
  get output(): string {
    return this.printed.join("").replaceAll(/\x1b\[[0-9;]*m/g, "");
  }

  /** Sends it a signal: `SIGTERM` asks it to end, between `SIGSTOP` and `SIGCONT` it stands still. */
  signal(name: "SIGTERM" | "SIGSTOP" | "SIGCONT"): void {
    this.child.kill(name);
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }
}

let handedOut = 0;

/**
 * A port that stays free while nothing listens on it: below the range that outgoing connections take theirs from,
 * and of this worker alone.
 */
export async function reservePort(): Promise<number> {
  const worker = Number(process.env.TEST_PARALLEL_INDEX ?? 0);
  for (;;) {
    const port = 20_000 + worker * 500 + (handedOut++ % 500);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** A folder that is gone at the end of the process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "kube-ingress-dash-"));
  folders.push(folder);
  return folder;
}
