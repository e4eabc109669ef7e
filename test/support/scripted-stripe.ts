// A Stripe that says what the test tells it, for tests of what can go wrong on the way to the real one.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedRequest {
  method: string;
  path: string;
  /** "" for the platform's own. */
  account: string;
  idempotencyKey: string | undefined;
  key: string;
  /** Of the sender: tells one connection from another. */
  port: number | undefined;
  at: number;
}

/** Answers, or leaves the request hanging. */
export type Reply = (response: ServerResponse, request: ScriptedRequest) => void;

export interface ScriptedStripe {
  url: string;
  /** What came, newest last. */
  requests: ScriptedRequest[];
  /** Each request takes the next reply; the last one stays. */
  script: (...replies: Reply[]) => void;
  /** Ends every connection: what hangs fails. */
  hangUp: () => void;
  close: () => Promise<void>;
}

/** Without `stripe-should-retry: true` the SDK does not repeat a 4xx; `retry: false` also keeps it from repeating a 5xx. */
export function reply(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  { retry = true }: { retry?: boolean } = {},
): Reply {
  return (response) => {
    response.writeHead(status, {
      "content-type": "application/json",
      "request-id": "req_scripted",
      ...(retry ? {} : { "stripe-should-retry": "false" }),
      ...headers,
    });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

export const failure = (type: string, fields: Record<string, string> = {}): object => ({
  error: { type, message: "It failed.", ...fields },
});

export const hang: Reply = () => undefined;
export const reset: Reply = (response) => {
  response.socket?.resetAndDestroy();
};

export async function scriptedStripe(): Promise<ScriptedStripe> {
  const requests: ScriptedRequest[] = [];
  let replies: Reply[] = [];
  const server = createServer((request, response) => {
    const told = toldBy(request);
    requests.push(told);
    request.resume();
    request.once("end", () => {
      const next = replies.length > 1 ? replies.shift() : replies[0];
      next?.(response, told);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script: (...given) => {
      replies = given;
      requests.length = 0;
    },
    hangUp: () => {
      server.closeAllConnections();
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function toldBy({ method = "", url = "", headers, socket }: IncomingMessage): ScriptedRequest {
  const key = headers["idempotency-key"];
  return {
    method,
    path: url,
    account: String(headers["stripe-account"] ?? ""),
    key: headers.authorization?.replace("Bearer ", "") ?? "",
    idempotencyKey: typeof key === "string" ? key : undefined,
    port: socket.remotePort,
    at: performance.now(),
  };
}
