// Signing secrets of endpoints as they are stored, and whose SECRET_KEY was lost, over HTTP and on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { openSecrets } from "../src/outbox/endpoint-secrets.ts";
import { deliverySettings } from "../src/outbox/endpoint-table.ts";
import { type Door, openDoor, SECRET_KEY, type Wire } from "./support/api-door.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { openReceiver } from "./support/webhook-receiver.ts";

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
               previous_secrets = jsonb_build_array(jsonb_build_object('sealed', $2::text, 'until', '2100-01-01T00:00:00.000Z'))
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
    expect(await opened()).toEqual({ secrets: [json.secret], ed25519Key: expect.stringMatching(/^whsk_/) as string });
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
