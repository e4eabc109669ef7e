// Signatures of deliveries, verified by others: Stripe's SDK, the standardwebhooks package, Python's standard library, and our kit.
import { spawnSync } from "node:child_process";
import { createPublicKey, randomBytes, verify } from "node:crypto";

import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { describe, expect, it } from "vitest";

import { verifyWebhook } from "../kit/verify/verify.ts";
import { signatureHeaders } from "../src/outbox/webhook-signature.ts";

const stripe = new Stripe("sk_test_of_the_tests");
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw0123456789A=";
const now = Math.floor(Date.now() / 1000);

/** RFC 8032, section 7.1, test 1. */
const SEED = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
const PUBLIC = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex");
const ED25519 = createPublicKey({
  key: { kty: "OKP", crv: "Ed25519", x: PUBLIC.toString("base64url") },
  format: "jwk",
});

const newSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;
const secretText = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => `whsec_${Buffer.from(bytes).toString("base64")}`);
const eventBody = fc
  .tuple(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }))
  .map(([name, id]) => JSON.stringify({ id, object: "event", data: { object: { name } } }));
const signings = fc.record({
  id: fc.stringMatching(/^msg_[0-9a-z]{26}$/),
  body: eventBody,
  secrets: fc.array(secretText, { minLength: 1, maxLength: 3 }),
});

const headerOf = (headers: Record<string, string>, name: string): string => headers[name] ?? "";

describe("a signed webhook", () => {
  it("verifies by Stripe's SDK with each of its secrets, and with no other", () => {
    fc.assert(
      fc.property(signings, ({ id, body, secrets }) => {
        const header = headerOf(signatureHeaders({ id, timestamp: now, body, secrets }), "X-Webhook-Signature");
        for (const secret of secrets) {
          expect(stripe.webhooks.constructEvent(body, header, secret)).toEqual(JSON.parse(body));
        }
        expect(() => stripe.webhooks.constructEvent(body, header, newSecret())).toThrow("signature");
        expect(() => stripe.webhooks.constructEvent(`${body} `, header, secrets[0] ?? "")).toThrow("signature");
      }),
    );
  });

  it("verifies by the standardwebhooks package with each of its secrets, and with no other", () => {
    fc.assert(
      fc.property(signings, ({ id, body, secrets }) => {
        const headers = signatureHeaders({ id, timestamp: now, body, secrets });
        for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
        expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow("No matching signature");
        const other = { ...headers, "webhook-id": "msg_other" };
        expect(() => new Webhook(secrets[0] ?? "").verify(body, other)).toThrow("No matching signature");
      }),
    );
  });

  it("verifies by Python's standard library, bytes beyond ASCII and two secrets included", () => {
    const sample = fc.sample(signings, 200).map((signing) => ({
      ...signing,
      headers: signatureHeaders({ ...signing, timestamp: now }),
    }));
    const { status, stdout, stderr } = spawnSync("python3", ["-c", PYTHON], {
      input: JSON.stringify(sample),
      encoding: "utf8",
    });
    expect(status, `this test needs python3: ${stderr}`).toBe(0);
    expect(stdout.trim()).toBe(`200 verified`);
  });

  it("verifies by the kit, by either family of headers alone, with each of its secrets and with no other", async () => {
    await fc.assert(
      fc.asyncProperty(signings, async ({ id, body, secrets }) => {
        const headers = signatureHeaders({ id, timestamp: now, body, secrets });
        const { "X-Webhook-Signature": own = "", ...standard } = headers;
        for (const secret of secrets) {
          for (const some of [headers, standard, { "x-webhook-signature": own }]) {
            expect(await verifyWebhook({ body, headers: some, secret, now })).toEqual(JSON.parse(body));
          }
        }
        for (const some of [standard, { "x-webhook-signature": own }]) {
          const attempt = verifyWebhook({ body, headers: some, secret: newSecret(), now });
          await expect(attempt).rejects.toMatchObject({ code: "signature_mismatch" });
        }
      }),
      { numRuns: 40 },
    );
  });

  it("carries an ed25519 signature beside the others where there is such a key, in either of its forms", () => {
    const body = '{"object":"event"}';
    const short = `whsk_${SEED.toString("base64")}`;
    const long = `whsk_${Buffer.concat([SEED, PUBLIC]).toString("base64")}`;
    const [one, other] = [short, long].map((key) =>
      headerOf(
        signatureHeaders({ id: "msg_1", timestamp: now, body, secrets: [SECRET], ed25519Keys: [key] }),
        "webhook-signature",
      ),
    );
    expect(one).toBe(other);
    const [v1, v1a = ""] = one?.split(" ") ?? [];
    expect(v1).toMatch(/^v1,/);
    const bytes = Buffer.from(v1a.replace("v1a,", ""), "base64");
    expect(verify(null, Buffer.from(`msg_1.${now}.${body}`), ED25519, bytes)).toBe(true);
  });

  it("has these headers for these inputs", () => {
    const signing = { id: "msg_1", timestamp: 1_733_671_200, body: '{"a":"ü"}', secrets: [SECRET] };
    const headers = signatureHeaders(signing);
    expect(signatureHeaders({ ...signing, body: Buffer.from(signing.body) })).toEqual(headers);
    expect(headers).toEqual({
      "X-Webhook-Signature": "t=1733671200,v1=8dab30b3d3efad9d8da9fc7c704230ff2aeca82b0d3f2cd4e901f62b986553f0",
      "webhook-id": "msg_1",
      "webhook-timestamp": "1733671200",
      "webhook-signature": "v1,pOL/Fh9xPq82UwWK44ZHrH94zf5y8GYCUSieiJmrahA=",
    });
  });

  it("is not made with an id, a time or a key that would blur or weaken it", () => {
    const good = { id: "msg_1", timestamp: now, body: "{}", secrets: [SECRET] };
    for (const wrong of [
      { secrets: [] },
      { secrets: [""] },
      { secrets: ["whsec_"] },
      { secrets: [SECRET, "whsec_c2hvcnQ="] },
      { secrets: [SECRET.replace("whsec_", "")] },
      { id: "msg.1" },
      { id: "" },
      { id: "msg_1\r\nx: y" },
      { timestamp: 1.5 },
      { timestamp: Number.NaN },
      { ed25519Keys: [SECRET] },
      { ed25519Keys: ["whsk_"] },
    ]) {
      expect(() => signatureHeaders({ ...good, ...wrong }), JSON.stringify(wrong)).toThrow("a webhook");
    }
  });
});

const PYTHON = `
import base64, hashlib, hmac, json, sys

def digest(key, text):
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256)

verified = 0
for one in json.load(sys.stdin):
    headers, body = one["headers"], one["body"]
    own = [part.split("=", 1) for part in headers["X-Webhook-Signature"].split(",")]
    time = [value for name, value in own if name == "t"][0]
    assert time == headers["webhook-timestamp"] and one["id"] == headers["webhook-id"]
    hexes = [value for name, value in own if name == "v1"]
    standard = [part.split(",", 1)[1] for part in headers["webhook-signature"].split(" ")]
    assert len(hexes) == len(standard) == len(one["secrets"])
    for secret, found, encoded in zip(one["secrets"], hexes, standard):
        assert hmac.compare_digest(digest(secret.encode(), time + "." + body).hexdigest(), found)
        key = base64.b64decode(secret[len("whsec_"):])
        text = one["id"] + "." + time + "." + body
        assert hmac.compare_digest(base64.b64encode(digest(key, text).digest()).decode(), encoded)
    verified += 1
print(verified, "verified")
`;
