// A webhook receiver for tests: listens on loopback, keeps what it got, and answers as it is told.
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  /** As sent: what the signature is over. */
  body: string;
  headers: IncomingHttpHeaders;
  event: { id: string; type: string; account?: string; api_version?: string };
}

export interface WebhookReceiver {
  url: string;
  /** In the order of arrival. */
  received: Received[];
  /** The status of the next answers, the last one for all that follow; null never answers. */
  answer(...statuses: (number | null)[]): void;
  /** Waits until so many have come, or fails after ten seconds. */
  got(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

/** On a free port, or on `port`. Answers 200 unless told otherwise. */
export async function openReceiver(port = 0): Promise<WebhookReceiver> {
  const received: Received[] = [];
  let statuses: (number | null)[] = [200];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (piece: string) => (body += piece));
    request.once("end", () => {
      received.push({ body, headers: request.headers, event: JSON.parse(body) as Received["event"] });
      const status = statuses.length > 1 ? statuses.shift() : statuses[0];
      if (status === null || status === undefined) return;
      response.writeHead(status, status >= 300 && status < 400 ? { location: "/elsewhere" } : {}).end("thanks");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    received,
    answer: (...given) => void (statuses = given),
    got: async (count) => {
      const end = Date.now() + 10_000;
      while (received.length < count) {
        if (Date.now() > end) throw new Error(`${received.length} of ${count} deliveries came in ten seconds`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return received;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
