// The envelope: what is read from an event's body, what is refused and why, and that no body can break the reader.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Envelope, MAX_NESTING, readEnvelope } from "./envelope.ts";

const SNAPSHOT = {
  id: "evt_1Qx",
  object: "event",
  api_version: "2020-08-27",
  created: 1_700_000_000,
  livemode: true,
  type: "invoice.paid",
  account: "acct_1",
  data: { object: { id: "in_1", object: "invoice", status: "paid" }, previous_attributes: { status: "open" } },
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
};
const THIN = {
  id: "evt_test_65",
  object: "v2.core.event",
  type: "v1.invoice.paid",
  created: "2026-11-20T10:11:12.345Z",
  livemode: true,
  context: "acct_1",
  related_object: { id: "in_1", type: "invoice", url: "/v1/invoices/in_1" },
  snapshot_event: "evt_1Qx",
  reason: null,
};

type Changes = Record<string, unknown>;
const snapshot = (changes: Changes = {}): string => JSON.stringify({ ...SNAPSHOT, ...changes });
const thin = (changes: Changes = {}): string => JSON.stringify({ ...THIN, ...changes });

function envelope(body: Uint8Array | string): Envelope {
  const reading = readEnvelope(body);
  if (!reading.ok) throw new Error(`${reading.reason}: ${reading.detail}`);
  return reading.envelope;
}
function refusal(body: Uint8Array | string): string {
  const reading = readEnvelope(body);
  return reading.ok ? "ok" : reading.reason;
}
const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;

describe("a snapshot event", () => {
  it("gives its envelope, from bytes and from text", () => {
    const expected = {
      thin: false,
      id: "evt_1Qx",
      type: "invoice.paid",
      account: "acct_1",
      created: 1_700_000_000,
      livemode: true,
      apiVersion: "2020-08-27",
      object: SNAPSHOT.data.object,
      previous: { status: "open" },
    };
    expect(envelope(snapshot())).toEqual(expected);
    expect(readEnvelope(new TextEncoder().encode(snapshot()))).toEqual({
      ok: true,
      envelope: expected,
      parsed: SNAPSHOT,
      text: snapshot(),
    });
  });

  it("is read from the middle of a larger buffer", () => {
    const whole = Buffer.from(`xx${snapshot()}xx`);
    expect(envelope(whole.subarray(2, -2)).id).toBe("evt_1Qx");
  });

  it("may lack what it does not need", () => {
    const bare = envelope(
      snapshot({ account: undefined, api_version: undefined, data: { object: {} }, request: undefined }),
    );
    expect(bare).toMatchObject({ account: "", apiVersion: null, object: {} });
    expect(bare).not.toHaveProperty("previous");
    expect(envelope(snapshot({ account: null, api_version: 7, type: "some.thing.new" }))).toMatchObject({
      account: "",
      apiVersion: null,
    });
    for (const previous of [{}, [], [1], null, "status"]) {
      expect(envelope(snapshot({ data: { object: {}, previous_attributes: previous } }))).not.toHaveProperty(
        "previous",
      );
    }
  });

  it("is refused when its id, type, time, mode, account or object cannot be trusted", () => {
    const wrong: Changes[] = [
      ...["", " ", "a b", "evt\u0000", "evt\n", "évt", "e".repeat(256), 1, null, undefined, {}].map((id) => ({ id })),
      ...["", "invoice\u0000paid", "t".repeat(256), null, undefined, []].map((type) => ({ type })),
      ...[-1, 1.5, "1700000000", null, undefined, true, Date.UTC(9999, 0) / 1000, 2 ** 53, 1e300].map((created) => ({
        created,
      })),
      ...["true", 1, null, undefined].map((livemode) => ({ livemode })),
      ...["", "acct 1", "acct|1", "acct\u0000", 5, {}, ["acct_1"]].map((account) => ({ account })),
      ...[undefined, null, [], {}, { object: null }, { object: [] }, { object: "in_1" }].map((data) => ({ data })),
      ...["evt", null, undefined, 1, "list"].map((object) => ({ object })),
    ];
    for (const changes of wrong) expect([changes, refusal(snapshot(changes))]).toEqual([changes, "not_event"]);
    expect(refusal(snapshot().replace("1700000000", "1e400"))).toBe("not_event");
    expect(refusal(snapshot({ created: Date.UTC(9999, 0) / 1000 - 1, id: "~".repeat(255) }))).toBe("ok");
  });
});

describe("a thin event", () => {
  it("gives its envelope, with the account from its context", () => {
    expect(envelope(thin())).toEqual({
      thin: true,
      id: "evt_test_65",
      type: "v1.invoice.paid",
      account: "acct_1",
      created: Date.UTC(2026, 10, 20, 10, 11, 12) / 1000,
      livemode: true,
      apiVersion: null,
      context: "acct_1",
      relatedObject: { id: "in_1", type: "invoice", url: "/v1/invoices/in_1" },
    });
    expect(envelope(thin({ context: "org_1/acct_2" }))).toMatchObject({ account: "acct_2", context: "org_1/acct_2" });
    expect(envelope(thin({ created: "2026-11-20T11:11:12+01:00" })).created).toBe(
      Date.UTC(2026, 10, 20, 10, 11, 12) / 1000,
    );
  });

  it("may lack what it does not need, and is kept when what it names cannot be read", () => {
    const bare = thin({
      context: undefined,
      livemode: undefined,
      related_object: undefined,
      snapshot_event: undefined,
    });
    expect(envelope(bare)).toMatchObject({
      account: "",
      context: null,
      livemode: false,
      relatedObject: null,
    });
    for (const related of [
      null,
      "in_1",
      [],
      {},
      { id: 1 },
      { ...THIN.related_object, url: "/v1/a b" },
      { ...THIN.related_object, id: "\0" },
    ]) {
      expect(envelope(thin({ related_object: related }))).toMatchObject({ relatedObject: null });
    }
  });

  it("is refused when its id, type, time, mode or context cannot be trusted", () => {
    const wrong: Changes[] = [
      ...["", null, undefined, "e\u0000"].map((id) => ({ id })),
      ...["", null, undefined].map((type) => ({ type })),
      ...[
        "",
        "today",
        "2026-11-20",
        1_700_000_000,
        null,
        undefined,
        "2026-13-40T10:11:12Z",
        "9999-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
      ].map((created) => ({ created })),
      ...["false", 0, null].map((livemode) => ({ livemode })),
      ...["", "/", "a//b", "acct_1/", "a|b", 5, {}].map((context) => ({ context })),
    ];
    for (const changes of wrong) expect([changes, refusal(thin(changes))]).toEqual([changes, "not_event"]);
  });
});

describe("a body that is no event", () => {
  it("is refused with the reason, which never quotes it", () => {
    const bodies: [Uint8Array | string, string][] = [
      [Buffer.from([0x7b, 0xff, 0x7d]), "not_utf8"],
      [Buffer.from([0xed, 0xa0, 0x80]), "not_utf8"],
      [Buffer.from(snapshot()).subarray(0, 50), "not_json"],
      ["", "not_json"],
      ["\ufeff\ufeff{}", "not_json"],
      ["secret-body", "not_json"],
      ["null", "not_event"],
      ["[]", "not_event"],
      ["1e400", "not_event"],
      ['"text"', "not_event"],
      ["{}", "not_event"],
    ];
    for (const [body, reason] of bodies) expect([body, refusal(body)]).toEqual([body, reason]);
    expect(JSON.stringify(readEnvelope("secret-body"))).not.toContain("secret");
  });

  it("may be marked as UTF-8, and is kept without the mark", () => {
    expect(readEnvelope(Buffer.from(`\ufeff${snapshot()}`))).toMatchObject({ ok: true, text: snapshot() });
    expect(readEnvelope(`\ufeff${snapshot()}`)).toMatchObject({ ok: true, text: snapshot() });
  });

  it("cannot nest deeper than the limit, and brackets inside strings do not count", () => {
    const holding = (levels: number): string =>
      snapshot().replace('"pending_webhooks":1', `"pending_webhooks":${nested(levels)}`);
    expect(refusal(holding(MAX_NESTING - 1))).toBe("ok");
    expect(refusal(holding(MAX_NESTING))).toBe("not_event");
    expect(refusal(snapshot({ pending_webhooks: `\\"${"[{".repeat(2_000)}` }))).toBe("ok");
    expect(refusal(snapshot({ pending_webhooks: Array.from({ length: 2_000 }, () => [{}]) }))).toBe("ok");
    const started = performance.now();
    expect(refusal(nested(100_000))).toBe("not_event");
    expect(refusal(Buffer.from("[".repeat(2 ** 20)))).toBe("not_event");
    expect(refusal('{"a":'.repeat(200_000))).toBe("not_event");
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("does no harm by its keys", () => {
    const body = snapshot().replace(
      '"id":',
      '"__proto__":{"polluted":true,"id":"evt_2"},"constructor":{"prototype":{"polluted":true}},"id":',
    );
    const proto = snapshot().replace('"id":"in_1"', '"__proto__":{"id":"in_2"}');
    expect(envelope(body).id).toBe("evt_1Qx");
    expect(refusal(proto)).toBe("ok");
    expect(({} as Changes).polluted).toBeUndefined();
    expect(refusal('{"__proto__":{"id":"evt_1","object":"event"}}')).toBe("not_event");
    expect(envelope(snapshot().replace('"id":', '"id":"evt_first","id":')).id).toBe("evt_1Qx");
  });
});

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const numRuns = LONG ? 100_000 : 2_000;

describe("whatever the body, the reader answers", () => {
  const checks = (body: Uint8Array | string): void => {
    const reading = readEnvelope(body);
    if (!reading.ok) return;
    const { id, type, created, account } = reading.envelope;
    expect(id).toMatch(/^[!-~]{1,255}$/);
    expect(type).toMatch(/^[!-~]{1,255}$/);
    expect(account).toMatch(/^[\w-]{0,255}$/);
    expect(new Date(created * 1000).getUTCFullYear()).toBeLessThan(9999);
  };

  it("for random bytes and random JSON", () => {
    fc.assert(fc.property(fc.uint8Array(), checks), { numRuns });
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), checks), { numRuns });
  });

  it("for events with one field replaced, removed or added, and for events with bytes changed", () => {
    const field = fc.constantFrom(...Object.keys({ ...SNAPSHOT, ...THIN }), "__proto__", "toString");
    const value = fc.option(fc.anything({ withNullPrototype: false, maxDepth: 3 }), { nil: undefined });
    const base = fc.constantFrom<Changes>(SNAPSHOT, THIN);
    fc.assert(
      fc.property(base, field, value, (event, name, other) =>
        checks(JSON.stringify(Object.assign({ ...event }, { [name]: jsonable(other) }))),
      ),
      { numRuns },
    );
    const edit = fc.record({ at: fc.nat(400), bytes: fc.uint8Array({ maxLength: 4 }), cut: fc.nat(4) });
    fc.assert(
      fc.property(base, fc.array(edit, { minLength: 1, maxLength: 3 }), (event, edits) => {
        let body = Buffer.from(JSON.stringify(event));
        for (const { at, bytes, cut } of edits)
          body = Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + cut)]);
        checks(body);
      }),
      { numRuns },
    );
  });
});

/** bigint, cycles and the like have no JSON: null instead. */
function jsonable(value: unknown): unknown {
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text === "string" ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

const RECORDED = new URL("../../../shared/corpora/events/stripe-ruby-mock/", import.meta.url);

describe("recorded events", () => {
  // They are no part of this repository; the cases above stand on their own.
  it.skipIf(!existsSync(RECORDED))(
    "are all read (needs the recorded data, which is kept outside this repository)",
    () => {
      const files = readdirSync(RECORDED).filter((file) => file.endsWith(".json"));
      const refused = files.filter((file) => refusal(readFileSync(new URL(file, RECORDED))) !== "ok");
      expect(refused).toEqual([]);
      expect(files.length).toBeGreaterThan(80);
    },
  );
});
