// Reverse proxies as they are by default: told where to listen and where the dashboard is, and nothing else.

import { accessSync, constants, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { Program, temporaryFolder } from "./programs.ts";

export interface Way {
  /** Where the proxy listens, on loopback. */
  port: number;
  /** Where the dashboard listens, on loopback. */
  target: number;
  /** After how many seconds of silence a response is cut; that of the proxy itself unless it is given. */
  idleLimit?: number;
}

interface Kind {
  /** The configuration in a folder of its own. */
  configuration(way: Way, folder: string): string;
  /** What follows the program's name. */
  args(file: string, folder: string): string[];
}

const kinds: Record<string, Kind> = {
  nginx: {
    // One process, so that it ends as a whole; the folders are those that it would want to write to in the system.
    configuration: ({ port, target, idleLimit }, folder) => `
      daemon off;
      master_process off;
      pid ${folder}/nginx.pid;
      events {}
      http {
        access_log off;
        client_body_temp_path ${folder}/body;
        proxy_temp_path ${folder}/proxy;
        fastcgi_temp_path ${folder}/fastcgi;
        uwsgi_temp_path ${folder}/uwsgi;
        scgi_temp_path ${folder}/scgi;
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://127.0.0.1:${target};
            ${idleLimit ? `proxy_read_timeout ${idleLimit}s;` : ""}
          }
        }
      }`,
    args: (file, folder) => ["-p", folder, "-e", "stderr", "-c", file],
  },
  haproxy: {
    // It has no time limits by itself, and warns of that; these are those of Debian's file.
    configuration: ({ port, target, idleLimit = 50 }) => `
defaults
  mode http
  timeout connect 5s
  timeout client ${idleLimit}s
  timeout server ${idleLimit}s
listen dashboard
  bind 127.0.0.1:${port}
  server dashboard 127.0.0.1:${target}
`,
    args: (file) => ["-db", "-f", file],
  },
  caddy: {
    // It has no limit on silence.
    configuration: ({ port, target }) => `
{
  admin off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${target}
}
`,
    args: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
};

/** The program of this name; undefined where it is not installed. */
export function installed(name: string): string | undefined {
  // Debian puts servers where the search path of a person does not lead.
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts a proxy, which ends when it is killed. */
export async function startProxy(name: string, way: Way): Promise<Program> {
  const kind = kinds[name];
  if (!kind) throw new Error(`${name} is no proxy that is known: there are ${Object.keys(kinds).join(", ")}`);
  const folder = temporaryFolder();
  const file = join(folder, "configuration");
  writeFileSync(file, kind.configuration(way, folder));
  // Not all of them say when they are ready.
  const command = ["-c", 'echo started; exec "$@"', "sh", installed(name) ?? name, ...kind.args(file, folder)];
  const { program } = await Program.start("/bin/sh", command, { HOME: folder }, /^started$/m);
  await expect.poll(() => accepts(way.port), { message: `${name} listens` }).toBe(true);
  return program;
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
