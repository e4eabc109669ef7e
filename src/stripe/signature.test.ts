// The signature check against the official SDK's verdict, by example and by property.
import { createHmac } from "node:crypto";
import fc from "fast-check";
import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { SIGNATURE_TOLERANCE, type SigningSecret, verifySignature } from "./signature.ts";

const NOW = 1_790_000_000;
const SECRET = "whsec_test_0123456789abcdefghijklmnop";
const ONE: readonly SigningSecret[] = [{ secret: SECRET, name: "platform" }];
const EVENT = Buffer.from('{"id":"evt_1","object":"event"}');
const LONG = process.env.BILLHOOK_TEST_LONG === "1";

const stripe = new Stripe("sk_test_none", { telemetry: false });

function hmac(text: string | Uint8Array, time: string | number, secret = SECRET): string {
  return createHmac("sha256", secret)
    .update(`${String(time)}.`)
    .update(text)
    .digest("hex");
}

/** The SDK's verdict on the signature alone, whatever the body parses to. */
function sdkAccepts(body: Uint8Array, header: string | string[] | undefined, secret: string, now: number): boolean {
  const { signature } = stripe.webhooks;
  if (signature === null) throw new Error("the SDK has no signature check");
  try {
    // The types say what header the SDK wants; it is given anything here, as by a caller in JavaScript.
    return signature.verifyHeader(body, header as string, secret, 300, undefined, now * 1000);
  } catch {
    return false; // Every refusal is a throw, of several classes.
  }
}

function accepts(body: Uint8Array, header: string | string[] | undefined, secrets = ONE, now = NOW): boolean {
  return verifySignature(body, header, secrets, now).ok;
}

describe("a webhook signature", () => {
  it("is accepted when one of our secrets made it, and says which", () => {
    const secrets = [{ secret: "whsec_connect", name: "connect" }, ...ONE];
    const header = `t=${NOW},v1=${hmac(EVENT, NOW)}`;
    expect(verifySignature(EVENT, header, secrets, NOW)).toEqual({ ok: true, name: "platform", timestamp: NOW });
  });

  it("is refused with the reason", () => {
    const good = hmac(EVENT, NOW);
    const reason = (header: string | string[] | undefined, now = NOW): string => {
      const verdict = verifySignature(EVENT, header, ONE, now);
      return verdict.ok ? "ok" : verdict.reason;
    };
    expect(reason(undefined)).toBe("missing");
    expect(reason("")).toBe("missing");
    expect(reason([`t=${NOW},v1=${good}`])).toBe("malformed");
    expect(reason(`v1=${good}`)).toBe("malformed");
    expect(reason(`t=-1,v1=${hmac(EVENT, -1)}`)).toBe("malformed");
    expect(reason(`t=${NOW},v1=${good},v1=`)).toBe("malformed");
    expect(reason(`t=${NOW},v1=${good},v1=${"é".repeat(64)}`)).toBe("malformed");
    expect(reason(`t=${NOW},v0=${good}`)).toBe("no_v1");
    expect(reason(`t=${NOW}, v1=${good}`)).toBe("no_v1");
    expect(reason(`t=${NOW},v1=${good.toUpperCase()}`)).toBe("mismatch");
    expect(reason(`t=${NOW},v1=${good}`, NOW + 301)).toBe("stale");
    expect(reason(`t=${NOW},v1=${"0".repeat(64)}`, NOW + 301)).toBe("mismatch");
  });

  it("lives exactly 300 seconds, and may come from the future", () => {
    const header = `t=${NOW},v1=${hmac(EVENT, NOW)}`;
    expect([-100_000, 0, 300, 300.9, 301].map((age) => accepts(EVENT, header, ONE, NOW + age))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(SIGNATURE_TOLERANCE).toBe(stripe.webhooks.DEFAULT_TOLERANCE);
  });

  it("never matches a blank secret, and a tolerance of 0 does not switch the age check off", () => {
    for (const secret of ["", " ", "\t\r\n", "\u00a0"]) {
      expect(accepts(EVENT, `t=${NOW},v1=${hmac(EVENT, NOW, secret)}`, [{ secret, name: "blank" }])).toBe(false);
    }
    expect(verifySignature(EVENT, `t=${NOW},v1=${hmac(EVENT, NOW)}`, [], NOW).ok).toBe(false);
    expect(verifySignature(EVENT, `t=${NOW},v1=${hmac(EVENT, NOW)}`, ONE, NOW + 1, 0)).toEqual({
      ok: false,
      reason: "stale",
    });
  });

  it("covers the text that the SDK reads: no byte order mark, U+FFFD for what is not UTF-8", () => {
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), EVENT]);
    const broken = Buffer.from([0x7b, 0xff, 0x7d]);
    const cases: [Uint8Array, Uint8Array, boolean][] = [
      [marked, marked, false],
      [marked, EVENT, true],
      [broken, broken, false],
      [broken, Buffer.from("{\ufffd}"), true],
    ];
    for (const [body, signed, verdict] of cases) {
      const header = `t=${NOW},v1=${hmac(signed, NOW)}`;
      expect([accepts(body, header), sdkAccepts(body, header, SECRET, NOW)]).toEqual([verdict, verdict]);
    }
  });
});

/** What parseInt and a template string make of `t` is part of the verdict. */
const ODD_TIMES = [
  ...["", "abc", "NaN", "Infinity", "-1", "-0", "0", "-5", "+1790000000", " 1790000000", "1790000000 ", "1790000000.9"],
  ...[
    "1.79e9",
    "1e3",
    "0x6ab13880",
    "1790000000abc",
    "\u0661",
    "01790000000",
    "1790000000000",
    "9".repeat(30),
    "9".repeat(320),
  ],
];
const times = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(NOW, NOW - 299, NOW - 300, NOW + 1, NOW + 86_400).map(String) },
  { weight: 2, arbitrary: fc.integer({ min: NOW - 305, max: NOW - 295 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom(...ODD_TIMES) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);
const ODD_BODIES = [
  [],
  [0xef, 0xbb],
  [0xef, 0xbb, 0xbf],
  [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x7b],
  [0xef, 0xbb, 0xbf, 0xff],
  [0xed, 0xa0, 0x80],
];
const bodies = fc.oneof(
  fc.constant(EVENT),
  fc.constantFrom(...ODD_BODIES.map((bytes) => Buffer.from(bytes))),
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(text)),
  fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => Buffer.from(`\ufeff${text}`)),
  fc.uint8Array({ maxLength: 60 }),
  fc.json().map((text) => Buffer.from(text)),
);

const SPOILT: Record<string, (digest: string) => string> = {
  upper: (digest) => `v1=${digest.toUpperCase()}`,
  "mixed case": (digest) => `v1=${digest.slice(0, 40).toUpperCase()}${digest.slice(40)}`,
  cut: (digest) => `v1=${digest.slice(1)}`,
  longer: (digest) => `v1=${digest}0`,
  "space after": (digest) => `v1=${digest} `,
  "space before": (digest) => `v1= ${digest}`,
  "space before the key": (digest) => ` v1=${digest}`,
  flipped: (digest) => `v1=${digest.startsWith("0") ? "1" : "0"}${digest.slice(1)}`,
  empty: () => "v1=",
  "no equals sign": () => "v1",
  "not ASCII": (digest) => `v1=${digest.slice(1)}é`,
  "second equals sign": (digest) => `v1=${digest}=x`,
  v0: (digest) => `v0=${digest}`,
  V1: (digest) => `V1=${digest}`,
};

const SECRETS = [SECRET, SECRET, SECRET, SECRET, `${SECRET}\n`, "whsec_ünïcode", "x", " ", ""];

interface SignaturePlan {
  secret: string;
  /** Signed over the raw bytes, over the SDK's text of them, or over something else. */
  over: "bytes" | "text" | "other";
  /** Joined to the time as written in the header, or as parseInt reads it. */
  time: "written" | "parsed";
  spoiler: string | undefined;
}
interface HeaderPlan {
  times: string[];
  signatures: SignaturePlan[];
  noise: string[];
  reversed: boolean;
  cut: { at: number; text: string } | undefined;
}

const signatures: fc.Arbitrary<SignaturePlan> = fc.record({
  secret: fc.constantFrom(...SECRETS),
  over: fc.constantFrom("bytes", "text", "text", "text", "other"),
  time: fc.constantFrom("written", "parsed", "parsed", "parsed"),
  spoiler: fc.option(fc.constantFrom(...Object.keys(SPOILT)), { freq: 1, nil: undefined }),
});
const noise = fc.oneof(
  fc.constantFrom("", "v0=abc", "t", "=", "t ", "v2=1", "v1=deadbeef"),
  fc.string({ maxLength: 8 }),
);
const headers: fc.Arbitrary<HeaderPlan> = fc.record({
  times: fc.array(times, { maxLength: 3 }),
  signatures: fc.array(signatures, { maxLength: 3 }),
  noise: fc.array(noise, { maxLength: 1 }),
  reversed: fc.boolean(),
  cut: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.record({ at: fc.nat(200), text: fc.string({ maxLength: 2 }) }) },
  ),
});

function headerText(plan: HeaderPlan, body: Uint8Array): string {
  const written = plan.times.at(plan.reversed ? 0 : -1) ?? "";
  const text = new TextDecoder().decode(body);
  const items = plan.signatures.map(({ secret, over, time, spoiler }) => {
    const signed = { bytes: body, text, other: `${text}!` }[over];
    const digest = hmac(signed, time === "written" ? written : Number.parseInt(written, 10), secret);
    return spoiler === undefined ? `v1=${digest}` : (SPOILT[spoiler]?.(digest) ?? "");
  });
  const parts = [...plan.times.map((time) => `t=${time}`), ...items, ...plan.noise];
  const whole = (plan.reversed ? parts.reverse() : parts).join(",");
  return plan.cut === undefined ? whole : whole.slice(0, plan.cut.at) + plan.cut.text + whole.slice(plan.cut.at);
}

it("takes secrets and bodies of any length", () => {
  for (const length of [1, 63, 64, 65, 200]) {
    for (const size of [0, 1, 4700, 65_500, 65_536, 200_000]) {
      const secret = "é".repeat(length);
      const body = Buffer.alloc(size, "x");
      const v1 = createHmac("sha256", secret).update(`${NOW}.`).update(body).digest("hex");
      expect(verifySignature(body, `t=${NOW},v1=${v1}`, [{ secret, name: "one" }], NOW).ok).toBe(true);
    }
  }
});

describe("the verdict is the official SDK's", () => {
  it("on random headers, ages, secrets and bodies", () => {
    const numRuns = LONG ? 200_000 : 4_000;
    const seed = Math.floor(Math.random() * 2 ** 31);
    const seen = { accepted: 0, refused: 0 };
    const property = fc.property(
      bodies,
      headers,
      fc.constantFrom(...SECRETS),
      fc.integer({ min: -3, max: 3 }),
      (body, plan, secret, drift) => {
        const header = headerText(plan, body);
        const now = NOW + drift;
        const theirs = sdkAccepts(body, header, secret, now);
        seen[theirs ? "accepted" : "refused"] += 1;
        expect(accepts(body, header, [{ secret, name: "one" }], now)).toBe(theirs);
        const eitherSecret = theirs || sdkAccepts(body, header, "whsec_second", now);
        const both = [
          { secret: "whsec_second", name: "second" },
          { secret, name: "one" },
        ];
        expect(accepts(body, header, both, now)).toBe(eitherSecret);
      },
    );
    fc.assert(property, { numRuns, seed });
    console.log(`signature verdicts equal: ${String(numRuns)} cases, seed ${String(seed)}, ${JSON.stringify(seen)}`);
    expect(seen.accepted).toBeGreaterThan(numRuns / 20);
  }, 600_000);

  it("on any header of a request", () => {
    const anyHeader = fc.oneof(fc.constant(undefined), fc.string(), fc.array(fc.string(), { maxLength: 2 }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), anyHeader, (body, header) => {
        expect(accepts(body, header)).toBe(sdkAccepts(body, header, SECRET, NOW));
      }),
      { numRuns: 1_000 },
    );
  });
});
