// An API server whose objects hold what a real one would have refused: validation is no one's promise for ever.

import { type IncomingMessage, type Server, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands in front of an API server and replaces words in what it answers. */
export class Forgery {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(upstream: string, words: Record<string, string>): Promise<Forgery> {
    const forge = (text: string) =>
      Object.entries(words).reduce((text, [word, other]) => text.replaceAll(word, JSON.stringify(other).slice(1, -1)), text);
    const server = createServer((incoming, outgoing) => {
      const { host: _, "accept-encoding": __, ...headers } = incoming.headers;
      const onward = request(new URL(incoming.url ?? "/", upstream), { method: incoming.method, headers });
      onward.on("response", async (answer: IncomingMessage) => {
        const { "content-length": _, ...headers } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, headers);
        // A watch has begun with its headers, before its first event.
        outgoing.flushHeaders();
        // Lines are whole events of a watch: no word is cut in two.
        let rest = "";
        try {
          for await (const chunk of answer.setEncoding("utf8")) {
            const end = (rest + chunk).lastIndexOf("\n") + 1;
            outgoing.write(forge((rest + chunk).slice(0, end)));
            rest = (rest + chunk).slice(end);
          }
          outgoing.end(forge(rest));
        } catch {
          outgoing.destroy();
        }
      });
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Forgery(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
