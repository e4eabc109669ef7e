// Signing secrets of endpoints as they are stored, whose SECRET_KEY was lost, and ed25519 keys that are replaced with them, over
// HTTP and on both databases.
import { createPublicKey, verify } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { verifyWebhook } from "../kit/verify/verify.ts";
import { systemClock } from "../src/base/clock.ts";
import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { openSecrets } from "../src/outbox/endpoint-secrets.ts";
import { deliverySettings } from "../src/outbox/endpoint-table.ts";
import { type Door, openDoor, SECRET_KEY, type Wire } from "./support/api-door.ts";
import { startWorker, tell, type Worker } from "./support/delivery-scene.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { openReceiver, type Received, type WebhookReceiver } from "./support/webhook-receiver.ts";

const ENDPOINTS = "/api/v1/webhook-endpoints/";
const TEST = "/api/v1/auth/tenants/webhooks/test/";
const RING = keyRing([new Secret(SECRET_KEY)]);
const OTHER = keyRing([new Secret("another-secret-key-of-more-than-32-characters")]);

describe.each(BOTH)("an endpoint's secrets, %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(async () => door.close());

  it("whose SECRET_KEY is gone are shown all the same, and sign again once they are replaced", async () => {
    const { access: token } = await registerTenant(door);
    const body = { url: "https://hooks.example/in", signature: "v1a" };
    const id = String((await send(door, "POST", ENDPOINTS, { token, body })).json.id);
    await door.pipe.database.query({
      text: `update webhook_endpoints set secret_sealed = $2, ed25519_sealed = $2,
               previous_secrets = jsonb_build_array(jsonb_build_object('sealed', $2::text, 'ed25519Sealed', $2::text, 'until', '2100-01-01T00:00:00.000Z'))
             where id = $1`,
      values: [id, OTHER.seal("lost", "elsewhere")],
    });
    const opened = async () => {
      const [settings] = await deliverySettings(door.pipe.database, [id]);
      if (settings === undefined) throw new Error("no endpoint");
      return openSecrets(RING, settings, Date.now());
    };
    const lost: Wire = (await send(door, "GET", `${ENDPOINTS}${id}/`, { token })).json;
    expect(lost).toMatchObject({ secret: "whsec_****", public_key: null, signature: "v1a" });
    await expect(opened()).rejects.toThrow("SECRET_KEY");
    const { status, json } = await send(door, "POST", `${ENDPOINTS}${id}/rotate-secret/`, { token });
    expect([status, json.public_key]).toEqual([200, expect.stringMatching(/^whpk_/)]);
    expect(await opened()).toEqual({
      secrets: [json.secret],
      ed25519Keys: [expect.stringMatching(/^whsk_/) as string],
    });
  });

  it("whose SECRET_KEY is gone sign no test event: it is refused with what to do, and sent once that is done", async () => {
    const { access: token } = await registerTenant(door);
    const receiver = await openReceiver();
    const made = await send(door, "POST", ENDPOINTS, { token, body: { url: receiver.url } });
    const id = String(made.json.id);
    await door.pipe.database.query({
      text: "update webhook_endpoints set secret_sealed = $2 where id = $1",
      values: [id, OTHER.seal("lost", "elsewhere")],
    });
    const test = async () => send(door, "POST", TEST, { token, body: { endpoint_id: id } });
    const { status, json } = await test();
    expect([status, json.code]).toEqual([409, "endpoint_disabled"]);
    expect(json.message).toContain("cannot be read any more: rotate it");
    const [, rotate = ""] = /POST (\S+\/)/.exec(String(json.message)) ?? [];
    expect((await send(door, "POST", rotate, { token })).status).toBe(200);
    expect(receiver.received).toEqual([]);
    expect((await test()).json).toMatchObject({ success: true, webhook_url: receiver.url });
    await receiver.close();
  });

  it("are stored sealed: no row holds one in plain text, nor an old one or a private key", async () => {
    const { access: token } = await registerTenant(door);
    const body = { url: "https://hooks.example/in", signature: "v1a" };
    const made = (await send(door, "POST", ENDPOINTS, { token, body })).json;
    const id = String(made.id);
    const rotated = (await send(door, "POST", `${ENDPOINTS}${id}/rotate-secret/`, { token })).json;
    const { rows } = await door.pipe.database.query<{ row: string }>({
      text: "select to_json(endpoint)::text as row from webhook_endpoints as endpoint where id = $1",
      values: [id],
    });
    expect(rows[0]?.row).toContain(id);
    for (const secret of [made.secret, rotated.secret]) {
      expect(secret).toMatch(/^whsec_.{40}/);
      expect(rows[0]?.row).not.toContain(String(secret).slice("whsec_".length));
    }
    expect(rows[0]?.row).not.toMatch(/whsec_|whsk_/);
  });
});

const HOUR = 3600;

describe.each(BOTH)("an endpoint's ed25519 key that is replaced, %s database", (kind) => {
  let door: Door;
  let receiver: WebhookReceiver;
  let worker: Worker;
  let ahead = 0;
  beforeAll(async () => {
    [door, receiver] = [await openDoor(kind), await openReceiver()];
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    worker = startWorker(door.pipe.database, { ring: RING, clock });
  });
  beforeEach(() => {
    ahead = 0;
  });
  afterAll(async () => {
    await worker.stop();
    await receiver.close();
    await door.close();
  });

  async function v1aEndpoint() {
    const { id: tenantId, access: token } = await registerTenant(door);
    const body = { url: receiver.url, signature: "v1a" };
    const made = (await send(door, "POST", ENDPOINTS, { token, body })).json;
    const path = `${ENDPOINTS}${String(made.id)}/`;
    return {
      key: String(made.public_key),
      secret: String(made.secret),
      rotated: async (grace_seconds: number): Promise<{ key: string; secret: string }> => {
        const { status, json } = await send(door, "POST", `${path}rotate-secret/`, { token, body: { grace_seconds } });
        expect(status).toBe(200);
        return { key: String(json.public_key), secret: String(json.secret) };
      },
      changed: async (change: object): Promise<Wire> => (await send(door, "PATCH", path, { token, body: change })).json,
      shown: async (): Promise<Wire> => (await send(door, "GET", path, { token })).json,
      stored: async (what: string, ...values: string[]): Promise<void> => {
        const text = `update webhook_endpoints set ${what} where id = $1`;
        await door.pipe.database.query({ text, values: [made.id, ...values] });
      },
      delivered: async (): Promise<Received> => {
        const before = receiver.received.length;
        await tell(door.pipe.database, tenantId, 1);
        const [received] = (await receiver.got(before + 1)).slice(before);
        if (received === undefined) throw new Error("nothing came");
        return received;
      },
    };
  }

  const takes = async ({ headers, body }: Received, secret: string): Promise<boolean> =>
    verifyWebhook({ headers, body, secret, now: (Date.now() + ahead) / 1000 }).then(
      () => true,
      () => false,
    );

  it("signs beside the new one until its grace ends, each once, and not from then on", async () => {
    const endpoint = await v1aEndpoint();
    expect(signers(await endpoint.delivered(), [endpoint.key])).toEqual([0]);
    const fresh = await endpoint.rotated(HOUR);
    expect(fresh.key).toMatch(/^whpk_/);
    expect(fresh.key).not.toBe(endpoint.key);
    expect((await endpoint.shown()).public_key).toBe(fresh.key);
    const keys = [fresh.key, endpoint.key];
    const both = await endpoint.delivered();
    expect(signers(both, keys)).toEqual([0, 1]);
    for (const secret of [...keys, fresh.secret, endpoint.secret]) expect(await takes(both, secret)).toBe(true);
    ahead = (HOUR + 60) * 1000;
    const later = await endpoint.delivered();
    expect(signers(later, keys)).toEqual([0]);
    expect([await takes(later, fresh.key), await takes(later, endpoint.key)]).toEqual([true, false]);
  });

  it("stops at once with a grace of 0, and all older ones with it", async () => {
    const endpoint = await v1aEndpoint();
    const second = await endpoint.rotated(HOUR);
    const third = await endpoint.rotated(HOUR);
    expect(signers(await endpoint.delivered(), [third.key, second.key, endpoint.key])).toEqual([0, 1, 2]);
    const last = await endpoint.rotated(0);
    const one = await endpoint.delivered();
    expect(signers(one, [last.key, third.key, second.key, endpoint.key])).toEqual([0]);
    expect([await takes(one, last.key), await takes(one, third.key)]).toEqual([true, false]);
  });

  it("is gone when v1a is switched off, and does not come back with another one; replaced secrets go on signing", async () => {
    const endpoint = await v1aEndpoint();
    await endpoint.rotated(HOUR);
    expect(await endpoint.changed({ signature: "v1" })).toMatchObject({ signature: "v1", public_key: null });
    const without = await endpoint.delivered();
    expect([signers(without, []), await takes(without, endpoint.secret)]).toEqual([[], true]);
    const { public_key } = await endpoint.changed({ signature: "v1a" });
    expect(signers(await endpoint.delivered(), [String(public_key)])).toEqual([0]);
    const again = String((await endpoint.changed({ signature: "v1a" })).public_key);
    expect(signers(await endpoint.delivered(), [again])).toEqual([0]);
  });

  it("signs nothing where an earlier version, which knows of the current one alone, has switched v1a off", async () => {
    const endpoint = await v1aEndpoint();
    await endpoint.rotated(HOUR);
    await endpoint.stored("ed25519_sealed = null");
    const without = await endpoint.delivered();
    expect([signers(without, []), await takes(without, endpoint.secret)]).toEqual([[], true]);
    const { public_key } = await endpoint.changed({ signature: "v1a" });
    expect(signers(await endpoint.delivered(), [String(public_key)])).toEqual([0]);
  });

  it("signs on where the secret beside it was lost, and is left out where its own SECRET_KEY is gone", async () => {
    const endpoint = await v1aEndpoint();
    const lost = OTHER.seal("lost", "elsewhere");
    await endpoint.stored("secret_sealed = $2", lost);
    const fresh = await endpoint.rotated(HOUR);
    const both = await endpoint.delivered();
    expect(signers(both, [fresh.key, endpoint.key])).toEqual([0, 1]);
    expect([await takes(both, fresh.secret), await takes(both, endpoint.secret)]).toEqual([true, false]);
    await endpoint.stored(
      "previous_secrets = jsonb_set(previous_secrets, '{0,ed25519Sealed}', to_jsonb($2::text))",
      lost,
    );
    expect(signers(await endpoint.delivered(), [fresh.key, endpoint.key])).toEqual([0]);
  });
});

/** Of each v1a signature which of these public keys has made it; -1: none of them. By node:crypto. */
function signers({ headers, body }: Received, keys: readonly string[]): number[] {
  const signed = Buffer.from(`${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`);
  const publicKeys = keys.map((key) => {
    const x = Buffer.from(key.slice("whpk_".length), "base64").toString("base64url");
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  });
  const made = [...String(headers["webhook-signature"]).matchAll(/v1a,(\S+)/g)];
  return made.map(([, base64 = ""]) =>
    publicKeys.findIndex((key) => verify(null, signed, key, Buffer.from(base64, "base64"))),
  );
}
