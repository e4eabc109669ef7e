// `billhook/verify`, and the receiver that shows it: what is refused and why, and that an event is taken once.
import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type VerifyOptions, verifyWebhook } from "../kit/verify/verify.ts";
import { signatureHeaders } from "../src/outbox/webhook-signature.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const PRIVATE = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const PUBLIC = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const NOW = 1_733_671_200;
const EVENT = {
  id: "msg_1",
  object: "event",
  api_version: "2026-11-21",
  type: "invoice.paid",
  created: NOW,
  livemode: false,
  data: { object: { id: "in_1", name: "Åsa" } },
  tenant: { id: "ten_1", company_name: "Acme" },
};
const BODY = JSON.stringify(EVENT);
const headers = signatureHeaders({
  id: "msg_1",
  timestamp: NOW,
  body: BODY,
  secrets: [SECRET],
  ed25519Keys: [PRIVATE],
});
const { "X-Webhook-Signature": own = "", ...standard } = headers;

const check = (more: Partial<VerifyOptions> = {}): Promise<unknown> =>
  verifyWebhook({ body: BODY, headers, secret: SECRET, now: NOW, ...more });
const codeOf = (more: Partial<VerifyOptions>): Promise<unknown> =>
  check(more).then(
    () => "verified",
    (error: unknown) => (error as { code?: string }).code ?? error,
  );

describe("a webhook is taken", () => {
  it("with its raw body as text, bytes or a buffer, and its headers as fetch, Node or anybody has them", async () => {
    const bytes = new TextEncoder().encode(BODY);
    for (const body of [BODY, bytes, Buffer.from(BODY), bytes.buffer]) expect(await check({ body })).toEqual(EVENT);
    const upper = Object.fromEntries(Object.entries(standard).map(([name, value]) => [name.toUpperCase(), value]));
    const lists = Object.fromEntries(Object.entries(standard).map(([name, value]) => [name, [value]]));
    for (const some of [headers, standard, new Headers(headers), upper, lists, { "x-webhook-signature": own }]) {
      expect(await check({ headers: some })).toEqual(EVENT);
    }
  });

  it("with the old or the new secret while one is replaced, and with the public key alone", async () => {
    const other = `whsec_${randomBytes(32).toString("base64")}`;
    expect(await check({ secret: [other, SECRET] })).toEqual(EVENT);
    const both = signatureHeaders({ id: "msg_1", timestamp: NOW, body: BODY, secrets: [other, SECRET] });
    for (const secret of [other, SECRET, [SECRET]]) expect(await check({ headers: both, secret })).toEqual(EVENT);
    expect(await check({ secret: PUBLIC })).toEqual(EVENT);
    expect(await check({ secret: [other, PUBLIC] })).toEqual(EVENT);
  });

  it("only within the tolerance, on both sides", async () => {
    for (const now of [NOW - 300, NOW + 300]) expect(await codeOf({ now })).toBe("verified");
    for (const now of [NOW - 301, NOW + 301, Number.NaN]) expect(await codeOf({ now })).toBe("signature_stale");
    expect(await codeOf({ now: NOW + 11, tolerance: 10 })).toBe("signature_stale");
    expect(await codeOf({ tolerance: 300, now: undefined as never })).toBe("signature_stale");
    for (const some of [standard, { "x-webhook-signature": own }]) {
      expect(await codeOf({ headers: some, now: NOW + 301 })).toBe("signature_stale");
    }
  });
});

describe("a webhook is refused", () => {
  it("whichever single bit of its body, id, time or signatures differs", async () => {
    const [v1 = "", v1a = ""] = (standard["webhook-signature"] ?? "").split(" ").map((part) => part.split(",")[1]);
    const mac = Buffer.from(own.split("v1=")[1] ?? "", "hex");
    const cases: Record<string, { text: Buffer; options: (changed: Buffer) => Partial<VerifyOptions> }> = {
      body: { text: Buffer.from(BODY), options: (body) => ({ body }) },
      id: { text: Buffer.from("msg_1"), options: (id) => ({ headers: { ...standard, "webhook-id": String(id) } }) },
      time: {
        text: Buffer.from(String(NOW)),
        options: (time) => ({ headers: { ...standard, "webhook-timestamp": String(time) }, tolerance: 1e12 }),
      },
      v1: {
        text: Buffer.from(v1, "base64"),
        options: (bytes) => ({ headers: { ...standard, "webhook-signature": `v1,${bytes.toString("base64")}` } }),
      },
      v1a: {
        text: Buffer.from(v1a, "base64"),
        options: (bytes) => ({
          headers: { ...standard, "webhook-signature": `v1a,${bytes.toString("base64")}` },
          secret: PUBLIC,
        }),
      },
      own: {
        text: mac,
        options: (bytes) => ({ headers: { "x-webhook-signature": `t=${NOW},v1=${bytes.toString("hex")}` } }),
      },
    };
    const place = fc.tuple(fc.constantFrom(...Object.values(cases)), fc.nat(), fc.integer({ min: 0, max: 7 }));
    await fc.assert(
      fc.asyncProperty(place, async ([{ text, options }, at, bit]) => {
        expect(await codeOf(options(text))).toBe("verified");
        const changed = Buffer.from(text);
        const index = at % text.length;
        changed[index] = (text[index] ?? 0) ^ (1 << bit);
        expect(await codeOf(options(changed))).not.toBe("verified");
      }),
      { numRuns: 300 },
    );
  });

  it("with a code that says why", async () => {
    expect(await codeOf({ headers: {} })).toBe("signature_missing");
    expect(await codeOf({ headers: { "webhook-id": "msg_1" } })).toBe("signature_missing");
    expect(await codeOf({ headers: { ...standard, "webhook-timestamp": "soon" } })).toBe("signature_malformed");
    expect(await codeOf({ headers: { "x-webhook-signature": "v1=00" } })).toBe("signature_malformed");
    expect(await codeOf({ headers: { "x-webhook-signature": `t=${NOW}` } })).toBe("signature_mismatch");
    expect(await codeOf({ headers: { ...standard, "webhook-signature": "v2,x v1 v1, ,, v1,%%%" } })).toBe(
      "signature_mismatch",
    );
    expect(await codeOf({ body: JSON.stringify(EVENT, null, 1) })).toBe("signature_mismatch");
    for (const secret of ["", "whsec_", "whsec_!!!", "sk_test_1", SECRET.slice(6), [], [SECRET, ""], PRIVATE])
      expect(await codeOf({ secret }), String(secret)).toBe("secret_invalid");
    // Of another length than a public key's, before one that fits or alone.
    for (const bytes of [16, 31, 33, 64]) {
      const cut = `whpk_${Buffer.alloc(bytes, 7).toString("base64")}`;
      for (const secret of [cut, [cut, SECRET]]) expect(await codeOf({ secret }), cut).toBe("secret_invalid");
    }
    // A program without types, whose variable is not set.
    for (const secret of [undefined, null, 5, {}, [undefined], [SECRET, null]])
      expect(await codeOf({ secret } as never), JSON.stringify(secret)).toBe("secret_invalid");
  });

  it("when it is signed with an empty key, or with the secret of the other scheme", async () => {
    const empty = createHmac("sha256", "").update(`${NOW}.${BODY}`).digest("hex");
    expect(await codeOf({ headers: { "x-webhook-signature": `t=${NOW},v1=${empty}` } })).toBe("signature_mismatch");
    const crossed = createHmac("sha256", SECRET).update(`msg_1.${NOW}.${BODY}`).digest("base64");
    expect(await codeOf({ headers: { ...standard, "webhook-signature": `v1,${crossed}` } })).toBe("signature_mismatch");
    expect(
      await codeOf({
        headers: { ...standard, "webhook-signature": standard["webhook-signature"]?.replace("v1,", "v1a,") ?? "" },
      }),
    ).toBe("signature_mismatch");
  });

  it("when it is signed and no event", async () => {
    for (const body of ["", "no json", "null", "[]", '"event"', '{"object":"list"}']) {
      const signed = signatureHeaders({ id: "msg_1", timestamp: NOW, body, secrets: [SECRET] });
      expect(await codeOf({ body, headers: signed }), body).toBe("not_an_event");
    }
  });
});

describe("the example receiver", () => {
  it("starts by `node --run start`, prints each event once, and refuses what is not signed", async () => {
    const env = { PATH: process.env.PATH, WEBHOOK_SECRET: SECRET, PORT: "0" };
    const child = spawn(process.execPath, ["--run", "start"], {
      cwd: "examples/webhook-receiver",
      env,
      detached: true,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += String(piece)));
    const ended = once(child, "exit");
    try {
      await expect.poll(() => said, { timeout: 15_000 }).toMatch(/listens at http:\S+/);
      const url = /listens at (\S+)/.exec(said)?.[1] ?? "";
      const send = async (id: string, more: Record<string, string> = {}, ownOnly = false): Promise<number> => {
        const body = JSON.stringify({ ...EVENT, id });
        const fresh = signatureHeaders({ id, timestamp: Math.floor(Date.now() / 1000), body, secrets: [SECRET] });
        const kept = ownOnly ? { "X-Webhook-Signature": fresh["X-Webhook-Signature"] ?? "" } : fresh;
        const response = await fetch(url, { method: "POST", body, headers: { ...kept, ...more } });
        await response.text();
        return response.status;
      };
      expect([await send("msg_1"), await send("msg_1"), await send("msg_2")]).toEqual([200, 200, 200]);
      expect(await send("msg_3", { "webhook-signature": "v1,AAAA" })).toBe(400);
      expect((await fetch(url)).status).toBe(405);
      expect((await fetch(url, { method: "POST", body: "x".repeat(1024 * 1024 + 1) })).status).toBe(413);
      await expect.poll(() => said).toMatch(/refused: No signature fits/);
      expect(said.match(/invoice\.paid msg_1 Acme/g)).toHaveLength(1);
      expect(said.match(/invoice\.paid msg_2 Acme/g)).toHaveLength(1);
      // Stripe's scheme alone, whose headers sign no id: neither none nor another one makes two events of one, or one of two.
      for (const id of ["msg_4", "msg_5"]) expect(await send(id, {}, true)).toBe(200);
      expect(await send("msg_5", { "webhook-id": "msg_6" }, true)).toBe(200);
      await expect.poll(() => said).toContain("again: msg_5");
      for (const id of ["msg_4", "msg_5"])
        expect(said.match(new RegExp(`invoice\\.paid ${id} Acme`, "g"))).toHaveLength(1);
      expect(said).toContain("again: msg_1");
      expect(said).toContain('"name": "Åsa"');
    } finally {
      // The group: `--run` starts a shell, which starts the receiver.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
    }
  }, 30_000);
});
