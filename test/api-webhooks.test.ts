// The webhook addresses: one receiver behind three paths, an exact answer, and what happens under load, on stop and behind a proxy.
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { openDoor, signature } from "./support/api-door.ts";
import type { Door } from "./support/api-door.ts";
import { publicError } from "../src/base/errors.ts";
import type { Delivery } from "../src/inbox/receive.ts";
import { event } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

let door: Door;
let stopping = false;
beforeAll(async () => {
  door = await openDoor("embedded", { deps: { stopping: () => stopping } });
});
afterAll(async () => door.close());

const body = (id?: string): string =>
  JSON.stringify(event("invoice.paid", newInvoice(), id === undefined ? {} : { id }));

describe("an event", () => {
  it.each(["/stripe/webhook", "/account/stripe-webhook", "/api/webhooks/stripe"])(
    "gets in at %s, with and without a slash",
    async (path) => {
      for (const address of [path, `${path}/`, `${path}/?source=x`]) {
        const before = await door.storedEvents();
        const answer = await door.webhook(body(), {}, address);
        expect([answer.status, answer.text]).toEqual([200, '{"status":"success"}']);
        expect(answer.headers.get("content-type")).toBe("application/json");
        expect(answer.headers.get("x-request-id")).toMatch(/^req_/);
        expect(await door.storedEvents()).toBe(before + 1);
      }
    },
  );

  it("that was stored already is a success, and stays one row", async () => {
    const sent = body("evt_door_duplicate");
    expect((await door.webhook(sent)).status).toBe(200);
    const before = await door.storedEvents();
    expect((await door.webhook(sent)).text).toBe('{"status":"success"}');
    expect(await door.storedEvents()).toBe(before);
  });

  it("that asks first with Expect: 100-continue gets in", async () => {
    const sent = body();
    const head = `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${Buffer.byteLength(sent)}\r\nStripe-Signature: ${signature(sent)}\r\n\r\n`;
    expect(await door.raw([head, sent], { until: /success/ })).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/,
    );
  });

  it("that asks first and is too large is refused without its body", async () => {
    const head = "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n";
    expect(await door.raw(head, { until: /too_large/ })).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("in many pieces gets in, and the connection serves the next one", async () => {
    const sent = body();
    const head = `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(sent)}\r\nStripe-Signature: ${signature(sent)}\r\n\r\n`;
    const pieces = Array.from(head + sent + head + sent);
    const text = await door.raw(pieces, { until: /success[^]*success/ });
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

it.each(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s is 405 and says what is allowed", async (method) => {
  const answer = await door.call(method, "/stripe/webhook/");
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  if (method !== "HEAD") expect(answer.json.code).toBe("method_not_allowed");
});

it("while the process stops the answer is 503 with Retry-After, and the connection closes", async () => {
  stopping = true;
  const answer = await door.webhook(body());
  stopping = false;
  expect([answer.status, answer.json.code]).toEqual([503, "stopping"]);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(answer.headers.get("connection")).toBe("close");
});

it("without a connection (inject) a webhook comes the same way", async () => {
  const sent = body();
  const answer = await door.api.inject({
    method: "POST",
    url: "/stripe/webhook/",
    payload: sent,
    headers: { "content-type": "application/json", "stripe-signature": signature(sent) },
  });
  expect([answer.statusCode, answer.body]).toEqual([200, '{"status":"success"}']);
});

it("a refusal is one line of the log with its code, and is counted", async () => {
  door.lines.length = 0;
  door.refused.length = 0;
  await door.webhook(body(), { "stripe-signature": "t=1,v1=00" });
  expect(door.refused).toEqual(["signature_mismatch"]);
  expect(door.lines.map(({ message, outcome, code }) => [message, outcome, code])).toEqual([
    ["event.received", "refused", "signature_mismatch"],
  ]);
});

describe("what the receiver says", () => {
  const answers: (() => Promise<boolean>)[] = [];
  const deliveries: Delivery[] = [];
  let stubbed: Door;
  beforeAll(async () => {
    const receive = async (delivery: Delivery): Promise<boolean> => {
      deliveries.push(delivery);
      return (answers.shift() ?? (async () => true))();
    };
    stubbed = await openDoor("embedded", {
      deps: {
        receiver: { receive, waiting: () => 0, crowd: () => 0, sinceRush: () => Infinity, idle: async () => undefined },
      },
    });
  });
  afterAll(async () => stubbed.close());

  it("is passed on when it is public: 503 with Retry-After", async () => {
    answers.push(() => Promise.reject(publicError("overloaded", { retryAfter: 7 })));
    const answer = await stubbed.webhook("{}");
    expect([answer.status, answer.json.code, answer.headers.get("retry-after")]).toEqual([503, "overloaded", "7"]);
  });

  it("is kept to ourselves when it is not", async () => {
    answers.push(() => Promise.reject(new Error("the secret cause")));
    const answer = await stubbed.webhook("{}");
    expect([answer.status, answer.json.code]).toEqual([500, "internal"]);
    expect(answer.text).not.toContain("secret cause");
  });

  it("comes from this machine only without a proxy in between, and from no web page", async () => {
    for (const headers of [
      {},
      { "x-forwarded-for": "1.2.3.4" },
      { forwarded: "for=1.2.3.4" },
      { "x-real-ip": "1.2.3.4" },
      { origin: "https://a-page.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      const sent = `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n${headerLines(headers)}\r\n{}`;
      expect(await stubbed.raw(sent, { until: /success/ })).toMatch(/^HTTP\/1\.1 200 /);
    }
    const verdicts = deliveries.slice(-7).map(({ fromLoopback }) => fromLoopback);
    expect(verdicts).toEqual([true, false, false, false, false, false, false]);
  });

  it("gets the bytes as they came", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0a, 0xc3, 0x28]);
    await stubbed.webhook(bytes);
    expect(deliveries.at(-1)?.body.equals(bytes)).toBe(true);
  });
});

describe("senders who have proved nothing", () => {
  const LIMIT = 1024 * 1024;
  let narrow: Door;
  const open: Socket[] = [];
  beforeAll(async () => {
    narrow = await openDoor("embedded", { deps: { maxCollectingBytes: LIMIT } });
  });
  afterEach(() => open.splice(0).forEach((socket) => socket.destroy()));
  afterAll(async () => narrow.close());

  /** Sends without an end, and keeps the connection; what comes back is in `text`. */
  async function begin(parts: readonly (string | Buffer)[]): Promise<{ text: string }> {
    const answer = { text: "" };
    const socket = connect(narrow.port, "127.0.0.1");
    open.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => (answer.text += bytes.toString("latin1")));
    for (const part of parts) {
      if (!socket.write(part)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
    }
    return answer;
  }
  const head = (length: number): string =>
    `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
  const inPieces = (sent: string): Promise<string> =>
    narrow.raw(
      [
        `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nStripe-Signature: ${signature(sent)}\r\nTransfer-Encoding: chunked\r\n\r\n`,
        ...(sent.match(/[^]{1,9000}/g) ?? []).map(
          (piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`,
        ),
        "0\r\n\r\n",
      ],
      { until: /success|overloaded|too_large/ },
    );
  const padded = (bytes: number): string => body().padEnd(bytes, " ");

  it("and send halves of bodies hold no more than the limit: 503, and a whole event still gets in", async () => {
    const announced = await Promise.all(Array.from({ length: 20 }, () => begin([head(LIMIT)])));
    expect(await inPieces(padded(300_000)), "headers alone hold nothing").toMatch(/^HTTP\/1\.1 200 /);

    const halves = await Promise.all(
      Array.from({ length: 20 }, () => begin([head(900_000), Buffer.alloc(150_000, " ")])),
    );
    await expect.poll(() => halves.filter(({ text }) => text.includes("overloaded")).length).toBeGreaterThanOrEqual(14);
    const refused = halves.find(({ text }) => text !== "")?.text ?? "";
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toMatch(/retry-after: 1\r\n/i);
    expect(refused).toMatch(/connection: close\r\n/i);
    expect(announced.map(({ text }) => text).join("")).toBe("");
    expect((await narrow.webhook(body())).status).toBe(200);

    open.splice(0).forEach((socket) => socket.destroy());
    await expect.poll(() => inPieces(padded(900_000))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("and are refused, or done, leave nothing held", async () => {
    for (let round = 0; round < 5; round++) {
      expect(await inPieces(padded(500_000))).toMatch(/^HTTP\/1\.1 200 /);
      expect(await inPieces(padded(LIMIT + 1))).toMatch(/^HTTP\/1\.1 413 /);
    }
  });

  it("and send single bytes take a buffer, not one for each byte", async () => {
    const before = memoryInUse();
    const bytes = 300_000;
    const chunks = Array.from({ length: 100 }, () => "1\r\nx\r\n".repeat(bytes / 100));
    const held = await begin([
      "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
      ...chunks,
    ]);
    await narrow.webhook(body());
    // By then 300,000 have come, also on a busy machine most.
    await sleep(700);
    expect(held.text).toBe("");
    // One buffer for each byte took 35 MB.
    expect(memoryInUse() - before).toBeLessThan(6e6);
  });
});

function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function headerLines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}
