// Whatever is sent to the webhook addresses: the right 4xx in the one error shape, no crash, nothing stored that was not verified.
import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { openDoor, signature } from "./support/api-door.ts";
import type { Answer, Door, Wire } from "./support/api-door.ts";
import { event } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

const MIB = 1024 * 1024;
let door: Door;

beforeAll(async () => {
  door = await openDoor("server", { deps: { limits: { request: 600, headers: 600, check: 100 } } });
});
afterAll(async () => door.close());

/** A good event still gets in after whatever came before it. */
afterEach(async () => {
  expect((await door.webhook(JSON.stringify(event("invoice.updated", newInvoice())))).status).toBe(200);
});

function expectRefusal(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.json.code]).toEqual([status, code]);
  expect(Object.keys(answer.json).sort()).toEqual(["code", "error", "message", "request_id"]);
  expect(answer.json.request_id).toMatch(/^req_/);
  expect(answer.headers.get("x-request-id")).toBe(answer.json.request_id);
  expect(answer.text).not.toMatch(/node_modules|\bat .*\.ts/);
}

async function storesNothing(act: () => Promise<void>): Promise<void> {
  const before = await door.storedEvents();
  await act();
  expect(await door.storedEvents()).toBe(before);
}

const good = (): string => JSON.stringify(event("invoice.updated", newInvoice()));

describe("a signed body that is no Stripe event is 400", () => {
  const whole = JSON.stringify({ ...event("invoice.paid", newInvoice()), id: "evt_bad_input" });
  const deep = `${"[".repeat(400_000)}${"]".repeat(400_000)}`;
  it.each<[string, string | Buffer, string]>([
    ["empty", "", "invalid_json"],
    ["truncated", whole.slice(0, -10), "invalid_json"],
    ["not JSON", "event=invoice.paid&id=evt_1", "invalid_json"],
    // The official SDK decodes before it verifies: what is not UTF-8 never fits its signature.
    [
      "invalid UTF-8",
      Buffer.concat([Buffer.from(whole.slice(0, 40)), Buffer.from([0xc3, 0x28, 0xff])]),
      "signature_mismatch",
    ],
    ["UTF-16", Buffer.from(whole, "utf16le"), "signature_mismatch"],
    ["JSON null", "null", "not_a_stripe_event"],
    ["a number", "42", "not_a_stripe_event"],
    ["an array", `[${whole}]`, "not_a_stripe_event"],
    ["an object of another kind", '{"object":"invoice","id":"in_1"}', "not_a_stripe_event"],
    ["an event without data", whole.replace('"data"', '"datum"'), "not_a_stripe_event"],
    ["a huge `created`", whole.replace(/"created":\d+/, '"created":1e300'), "not_a_stripe_event"],
    ["an endless `created`", whole.replace(/"created":\d+/, `"created":${"9".repeat(5000)}`), "not_a_stripe_event"],
    ["a negative `created`", whole.replace(/"created":\d+/, '"created":-1'), "not_a_stripe_event"],
    ["`created` as text", whole.replace(/"created":\d+/, '"created":"1700000000"'), "not_a_stripe_event"],
    ["an id with a space", whole.replace('"evt_bad_input"', '"evt 1"'), "not_a_stripe_event"],
    ["an id with NUL", whole.replace('"evt_bad_input"', '"evt\\u0000"'), "not_a_stripe_event"],
    ["an account that would split the object key", whole.replace('"id"', '"account":"a|b","id"'), "not_a_stripe_event"],
    ["nested 400,000 deep", deep, "not_a_stripe_event"],
    ["an event nested 400,000 deep", whole.replace('"data":{', `"deep":${deep},"data":{`), "not_a_stripe_event"],
    [
      "an event nested in objects",
      whole.replace('"data":{', `"deep":${'{"a":'.repeat(90_000)}1${"}".repeat(90_000)},"data":{`),
      "not_a_stripe_event",
    ],
  ])("%s", async (_, body, code) => {
    await storesNothing(async () => expectRefusal(await door.webhook(body), 400, code));
  });
});

it("an event with absurd but harmless values is kept, not refused", async () => {
  const object = newInvoice({
    id: "in_absurd",
    amount_due: Number.MAX_VALUE,
    customer_email: "x".repeat(100_000),
    metadata: { "\u0000": "\ud800", __proto__x: "\u0000" },
  });
  const body = JSON.stringify(event("invoice.updated", object, { id: "evt_absurd" })).replace(
    '"metadata":{',
    '"metadata":{"__proto__":{"a":1},',
  );
  const before = await door.storedEvents();
  expect((await door.webhook(body)).status).toBe(200);
  expect(await door.storedEvents()).toBe(before + 1);
  await door.pipe.drain();
  const read = await door.admin("GET", "stripe-events/evt_absurd/");
  expect([read.status, read.json.status]).toEqual([200, "processed"]);
});

describe("a body that is not signed as it stands is 400 and not stored", () => {
  const body = good();
  it.each<[string, string | undefined, string]>([
    ["no signature", undefined, "signature_missing"],
    ["an empty signature", "", "signature_missing"],
    ["nonsense", "hello", "signature_malformed"],
    ["another secret", signature(body, "whsec_other"), "signature_mismatch"],
    ["an empty v1", `t=${Math.floor(Date.now() / 1000)},v1=`, "signature_malformed"],
    ["an empty key", signature(body, ""), "signature_mismatch"],
    ["another body", signature(`${body} `), "signature_mismatch"],
    ["301 seconds old", signature(body, undefined, Math.floor(Date.now() / 1000) - 302), "signature_stale"],
  ])("%s", async (_, header, code) => {
    await storesNothing(async () => {
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (header !== undefined) headers["stripe-signature"] = header;
      expectRefusal(await door.call("POST", "/stripe/webhook/", { body, headers }), 400, code);
    });
  });
});

describe("content that Stripe never sends is 415", () => {
  it.each([
    ["text/plain", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["multipart", { "content-type": "multipart/form-data; boundary=x" }],
    ["XML", { "content-type": "application/xml" }],
    ["almost JSON", { "content-type": "application/jsonx" }],
    ["nothing", { "content-type": "" }],
  ])("%s", async (_, headers) => {
    await storesNothing(async () => expectRefusal(await door.webhook(good(), headers), 415, "unsupported_media_type"));
  });

  it("a compressed body", async () => {
    await storesNothing(async () => {
      expectRefusal(
        await door.webhook(gzipSync(good()), { "content-encoding": "gzip" }),
        415,
        "unsupported_media_type",
      );
    });
  });

  it("but JSON with parameters, in any case, or without a content type gets in", async () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"]) {
      expect((await door.webhook(good(), { "content-type": type })).status).toBe(200);
    }
    const body = good();
    const text = await door.raw(request("POST", body, [`Stripe-Signature: ${signature(body)}`]), { until: /success/ });
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a body over 1 MiB is 413", () => {
  it("by its Content-Length, before it is read", async () => {
    const head = `POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 * MIB}\r\n\r\n`;
    const text = await door.raw(head, { until: /body_too_large/ });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toMatch(/connection: close/i);
  });

  it("when it is sent whole", async () => {
    await storesNothing(async () =>
      expectRefusal(await door.webhook(Buffer.alloc(6 * MIB, " ")), 413, "body_too_large"),
    );
  });

  it("in chunks of unknown number", async () => {
    await storesNothing(async () => {
      const chunk = Buffer.from(`10000\r\n${" ".repeat(0x10000)}\r\n`);
      const parts = [
        "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        ...Array.from({ length: 30 }, () => chunk),
      ];
      expect(await door.raw(parts, { until: /body_too_large/ })).toMatch(/^HTTP\/1\.1 413 /);
    });
  });

  it("and a body of exactly 1 MiB gets in", async () => {
    const body = good();
    expect((await door.webhook(body + " ".repeat(MIB - Buffer.byteLength(body)))).status).toBe(200);
  });

  it("of any other route too", async () => {
    const answer = await door.call("POST", "/api/v1/admin/rebuild/", {
      body: " ".repeat(MIB + 1),
      headers: { "content-type": "application/json" },
    });
    expectRefusal(answer, 413, "body_too_large");
  });
});

describe("senders that dawdle or leave", () => {
  it("a body that does not end is 408", async () => {
    await storesNothing(async () => {
      const text = await door.raw(request("POST", good(), ["Content-Type: application/json"]).slice(0, -10));
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(JSON.parse(text.split("\r\n\r\n")[1] ?? "").code).toBe("request_timeout");
    });
  });

  it("headers that do not end are 408", async () => {
    const text = await door.raw("POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nStripe-Sig");
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"code":"request_timeout"');
  });

  it("a body that breaks off is nothing", async () => {
    await storesNothing(async () => {
      const body = good();
      const cut = request("POST", body, [`Stripe-Signature: ${signature(body)}`]).slice(0, -3);
      await expect(door.raw(cut, { milliseconds: 100 })).rejects.toThrow(/no end/);
    });
  });
});

describe("what is not HTTP is refused in the same shape", () => {
  it.each([
    ["garbage", "\x16\x03\x01\x02\x00 hello\r\n\r\n", 400],
    [
      "two lengths",
      "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
      400,
    ],
    [
      "length and chunks",
      "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a bad chunk", "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400],
    ["no host", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    ["headers beyond 16 KiB", `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(20_000)}\r\n\r\n`, 431],
    [
      "an expectation",
      "POST /stripe/webhook/ HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nContent-Length: 0\r\n\r\n",
      400,
    ],
  ])("%s", async (_, bytes, status) => {
    const text = await door.raw(bytes, { until: /request_id"/ });
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
    expect(text).toMatch(/x-request-id: req_/i);
    const { code, request_id: requestId } = JSON.parse(text.split("\r\n\r\n")[1] ?? "") as Wire;
    expect([code, requestId]).toEqual([
      status === 431 ? "headers_too_large" : "invalid_request",
      expect.stringMatching(/^req_/),
    ]);
  });
});

it("any signed bytes are answered 200 or 4xx", async () => {
  const base = good();
  const mutated = fc
    .tuple(fc.nat(base.length - 1), fc.nat(20), fc.string({ unit: "binary", maxLength: 20 }))
    .map(([at, cut, text]) => base.slice(0, at) + text + base.slice(at + cut));
  const bodies = fc.oneof(
    mutated.map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({
        object: fc.constantFrom("event", "v2.core.event"),
        id: fc.string(),
        type: fc.string(),
        created: fc.anything(),
        livemode: fc.boolean(),
        data: fc.object(),
      })
      .map((value) =>
        Buffer.from(JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? String(one) : one))),
      ),
  );
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const { status, json } = await door.webhook(body);
      expect([
        [200, undefined],
        [400, "invalid_json"],
        [400, "not_a_stripe_event"],
        [400, "signature_mismatch"],
      ]).toContainEqual([status, json.code]);
    }),
    { numRuns: 150 },
  );
});

function request(method: string, body: string, headers: string[]): string {
  return `${[`${method} /stripe/webhook/ HTTP/1.1`, "Host: x", `Content-Length: ${Buffer.byteLength(body)}`, ...headers].join("\r\n")}\r\n\r\n${body}`;
}
