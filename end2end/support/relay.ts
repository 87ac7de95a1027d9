// A TCP relay that cuts a connection in the middle of what the server says.

import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

/** Forwards a port of loopback to another. */
export class Relay {
  private readonly sockets = new Set<Socket>();
  private readonly held: Socket[] = [];
  private isHolding = false;
  /** Where to stop, and what to do then. */
  private stopAt?: { text: Buffer; reached: () => void };
  /** The two ends of the connection that has stopped. */
  private stopped: Socket[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: number,
    readonly port: number,
  ) {}

  static async start(target: number): Promise<Relay> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const relay = new Relay(server, target, (server.address() as AddressInfo).port);
    server.on("connection", (client) => relay.accept(client));
    return relay;
  }

  /**
   * Stops the first connection on which the server sends this text, in the middle of the text: what comes after that
   * does not pass. The promise is kept once that is so.
   */
  stopIn(text: string): Promise<void> {
    return new Promise((reached) => (this.stopAt = { text: Buffer.from(text), reached }));
  }

  /**
   * Cuts the connection that has stopped. From then on new connections are accepted and nothing passes on them, so that
   * no client is back before the others are away.
   */
  cut(): void {
    this.isHolding = true;
    for (const socket of this.stopped.splice(0)) socket.destroy();
  }

  /** Lets the connections pass that came since the cut. */
  release(): void {
    this.isHolding = false;
    for (const client of this.held.splice(0)) this.join(client);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    this.own(client);
    if (this.isHolding) this.held.push(client);
    else this.join(client);
  }

  private join(client: Socket): void {
    const server = connect(this.target, "127.0.0.1");
    this.own(server);
    client.on("data", (chunk) => server.write(chunk));
    client.on("end", () => server.end());
    client.on("close", () => server.destroy());
    client.resume();

    // The text may be in two chunks.
    let passed = Buffer.alloc(0);
    server.on("data", (chunk) => {
      if (this.stopped.includes(server)) return;
      const { text, reached } = this.stopAt ?? {};
      const seen = Buffer.concat([passed, chunk]);
      const start = text ? seen.indexOf(text) : -1;
      if (!text || start < 0) {
        client.write(chunk);
        passed = text ? seen.subarray(1 - text.length) : passed.subarray(0, 0);
        return;
      }
      const middle = start + Math.floor(text.length / 2);
      client.write(chunk.subarray(0, Math.max(0, middle - passed.length)));
      this.stopAt = undefined;
      this.stopped = [client, server];
      reached?.();
    });
    server.on("end", () => client.end());
    server.on("close", () => client.end());
  }

  private own(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
  }
}
