// One attempt: one POST to one receiver.
import { Agent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface Sender {
  /** The status that came back; null when none did: refused, cut off, timed out, or ended by `close`. */
  post(url: string, headers: Record<string, string>, body: string): Promise<number | null>;
  close(): void;
}

export interface SenderOptions {
  timeoutMs: number;
  /** Connections to one receiver at once. */
  connections: number;
}

/** Keeps connections open between attempts. Redirects are not followed. */
export function openSender({ timeoutMs, connections }: SenderOptions): Sender {
  const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
  const [plain, secure] = [new Agent(options), new HttpsAgent(options)];
  const closing = new AbortController();

  const post = (url: string, headers: Record<string, string>, body: string, isAgain = false): Promise<number | null> =>
    new Promise((resolve) => {
      const isSecure = url.startsWith("https:");
      const sent = (isSecure ? httpsRequest : httpRequest)(url, {
        method: "POST",
        agent: isSecure ? secure : plain,
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
        headers: { ...headers, "Content-Length": Buffer.byteLength(body) },
      });
      sent.once("response", (response) => {
        const status = response.statusCode ?? null;
        response.once("close", () => resolve(response.complete ? status : null));
        // What cuts the answer off is seen at `close`, which follows.
        response.once("error", () => response.destroy());
        response.resume();
      });
      sent.once("error", (error: NodeJS.ErrnoException) => {
        // The receiver closed a kept connection just as it was used again: that is no attempt it has seen.
        const isStale = sent.reusedSocket && error.code === "ECONNRESET" && !isAgain;
        resolve(isStale ? post(url, headers, body, true) : null);
      });
      sent.end(body);
    });

  return {
    post: (url, headers, body) => post(url, headers, body),
    close: () => {
      closing.abort();
      plain.destroy();
      secure.destroy();
    },
  };
}
