// Following a payment from a page: by a stream, by polls where no stream comes through, through an outage, to its end.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, it } from "vitest";

import {
  type FollowTimes,
  followPayment,
  isOver,
  type PaymentProgress,
  type PaymentStatus,
} from "../kit/client/client.ts";

const STATUSES = ["pending", "action_required", "succeeded", "failed", "expired", "canceled"] as const;
type Status = (typeof STATUSES)[number];
type Reply = (request: IncomingMessage, response: ServerResponse) => void;

/** Pauses are short, so that a test need not wait. What gives a stream up is, where it does: a busy machine is late, too. */
const TIMES: FollowTimes = { firstBytes: 5000, silence: 5000, wait: 25, shortest: 20, longest: 200 };

let server: Server;
let url: string;
/** "stream" or "poll" for each request, with what it asked for. */
let asked: { how: "stream" | "poll"; wait: string | null; authorization: string | undefined }[];
let told: PaymentProgress[];
let stop: () => void;

beforeEach(async () => {
  [asked, told, stop] = [[], [], () => undefined];
  server = createServer();
  await listen(0);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/status/cs_1/?token=t`;
});
afterEach(async () => {
  stop();
  await close();
});

const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
const close = async (): Promise<void> => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
};

function answering(reply: Reply): void {
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    const how = request.headers.accept === "text/event-stream" ? "stream" : "poll";
    const wait = new URL(request.url ?? "", url).searchParams.get("wait");
    asked.push({ how, wait, authorization: request.headers.authorization });
    reply(request, response);
  });
}

const follow = (options: Partial<Parameters<typeof followPayment>[1]> = {}): void => {
  stop = followPayment(url, { told: (progress) => told.push(progress), times: TIMES, ...options });
};
const states = (): string[] => told.map(({ state }) => state);
const until = (check: () => boolean): Promise<unknown> => expect.poll(check, { timeout: 8000, interval: 5 }).toBe(true);
const toldOf = (state: string) => until(() => states().includes(state));

let changes = 0;
function statusOf(status: Status): PaymentStatus {
  const result = { credits_added: 100, credit_balance: 100, subscription_status: null, invoice_status: null };
  return {
    ...{
      id: "cs_1",
      object: "checkout.session",
      status,
      stripe_status: null,
      result,
      failure: null,
      source: "webhook",
    },
    updated_at: new Date(1_793_610_000_000 + (changes += 1)).toISOString(),
  };
}
const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};
const open = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" }).write("retry: 1000\n\n");
};
const textOf = (status: Status): string =>
  `id: 1\nevent: ${isOver(status) ? "final" : "status"}\ndata: ${JSON.stringify(statusOf(status))}\n\n`;
const event = (response: ServerResponse, status: Status): void => void response.write(textOf(status));

it("a stream's changes are told as they come, and its end ends it", async () => {
  answering((_, response) => {
    open(response);
    event(response, "pending");
    setTimeout(() => event(response, "action_required"), 20);
    // In pieces, as a network may cut it.
    setTimeout(() => {
      const text = `event: final\r\ndata: ${JSON.stringify(statusOf("succeeded"))}\r\n\r\n`;
      response.write(text.slice(0, 40));
      setTimeout(() => response.write(text.slice(40)), 20);
    }, 40);
  });
  follow();
  await toldOf("succeeded");
  expect(states()).toEqual(["pending", "action_required", "succeeded"]);
  expect(told.at(-1)).toMatchObject({ problem: null, status: { result: { credits_added: 100 } } });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toEqual([{ how: "stream", wait: null, authorization: undefined }]);
});

it.each(STATUSES)("the status %s is the state of that name, by a stream and by polls", async (status) => {
  for (const how of ["stream", "poll"]) {
    told = [];
    answering((_, response) => {
      if (how === "poll") json(response, statusOf(status));
      else {
        open(response);
        event(response, status);
      }
    });
    follow();
    await toldOf(status);
    stop();
    expect(new Set(states())).toEqual(new Set([status]));
  }
});

it.each<[string, Reply]>([
  ["holds the stream back", () => undefined],
  [
    "holds back all but the stream's head",
    (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders(),
  ],
  ["cuts streams off", (_, response) => response.destroy()],
  ["ends streams at once", (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end()],
  ["answers a stream's request with JSON", (_, response) => json(response, statusOf("pending"))],
])("what stands between %s: then it is asked by polls that wait", async (_, broken) => {
  answering((request, response) => {
    if (asked.at(-1)?.how === "stream") broken(request, response);
    else json(response, statusOf("succeeded"));
  });
  follow({ times: { ...TIMES, firstBytes: 150 } });
  await toldOf("succeeded");
  expect(asked.filter(({ how }) => how === "poll")).toMatchObject([{ wait: "25" }]);
  expect(asked.length).toBeLessThanOrEqual(3);
});

it("a stream that falls silent without a heartbeat is given up", async () => {
  answering((_, response) => {
    if (asked.at(-1)?.how === "poll") {
      json(response, statusOf("succeeded"));
      return;
    }
    open(response);
    event(response, "pending");
  });
  follow({ times: { ...TIMES, silence: 300 } });
  await toldOf("succeeded");
  expect(states()).toEqual(["pending", "succeeded"]);
});

it("while the server is gone it is offline and keeps what it knew, and goes on by itself when it is back", async () => {
  answering((_, response) => {
    open(response);
    event(response, "pending");
  });
  follow();
  await toldOf("pending");
  const { port } = server.address() as AddressInfo;
  await close();
  await toldOf("offline");
  expect(told.at(-1)).toMatchObject({ status: { status: "pending" }, problem: { code: "unreachable" } });
  answering((_, response) => json(response, statusOf("succeeded")));
  await listen(port);
  await toldOf("succeeded");
  expect(told.at(-1)?.problem).toBe(null);
});

it("a link that has ended is told with its reason, and not asked again", async () => {
  answering((_, response) => json(response, { error: "Unauthorized", code: "unauthorized", message: "Too old." }, 401));
  follow();
  await toldOf("offline");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(told).toMatchObject([{ state: "offline", problem: { code: "unauthorized", message: "Too old." } }]);
  expect(asked).toHaveLength(1);
});

it("a busy server is asked again, no sooner than it says", async () => {
  const at: number[] = [];
  answering((_, response) => {
    at.push(performance.now());
    if (asked.length > 1) json(response, statusOf("succeeded"));
    else response.writeHead(503, { "retry-after": "1" }).end('{"code":"overloaded","message":"Wait."}');
  });
  follow();
  await toldOf("succeeded");
  expect(states()).toContain("offline");
  const [first = 0, second = 0] = at;
  expect(second - first).toBeGreaterThan(950);
});

it("a server that does not let it wait is asked less and less often", async () => {
  const same = statusOf("pending");
  answering((_, response) => json(response, same));
  follow();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  // 20 ms apart it would be 75, 200 ms apart 7.
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.length).toBeLessThan(20);
});

it("a status_url without a token is asked with the client's, which is renewed when it is refused", async () => {
  answering((request, response) => {
    const isGood = request.headers.authorization === "Bearer good";
    json(response, isGood ? statusOf("succeeded") : { code: "unauthorized", message: "No." }, isGood ? 200 : 401);
  });
  url = url.replace(/\?.*/, "");
  follow({ tokens: { current: async () => "old", renewed: async () => "good" } });
  await toldOf("succeeded");
  expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer old", "Bearer good"]);
});

it("who stops following is told nothing more, and the connection ends", async () => {
  let ended = false;
  answering((request, response) => {
    open(response);
    request.once("close", () => (ended = true));
    // At once: both may be there when the first is told.
    response.write(textOf("pending") + textOf("action_required"));
  });
  follow({
    // Longer than the test: nothing else ends the connection.
    times: { ...TIMES, silence: 60_000 },
    told: (progress) => {
      told.push(progress);
      stop();
    },
  });
  await until(() => ended);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(states()).toEqual(["pending"]);
});
