// A TCP proxy that can turn into a black hole: connections stay open and nothing passes.

import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

/** Forwards a port of loopback to another. */
export class Proxy {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(target: number): Promise<Proxy> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new Proxy(server, (server.address() as AddressInfo).port);
    server.on("connection", (client) => proxy.join(client, connect(target, "127.0.0.1")));
    return proxy;
  }

  /** From now on nothing passes on the connections that there are, and none of them is closed. New ones work. */
  swallow(): void {
    for (const socket of this.sockets) socket.pause();
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.on("data", (chunk) => to.write(chunk));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.resume();
    }
  }
}
