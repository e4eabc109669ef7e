// The single-endpoint view over HTTP, on both databases: read, set, replace the secret, remove; as the seed document has it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { openSecrets } from "../src/outbox/endpoint-secrets.ts";
import { firstEndpoint } from "../src/outbox/endpoint-table.ts";
import { firstOperatorLink } from "../src/tenants/first-operator.ts";
import { ensurePlatformTenant } from "../src/tenants/platform.ts";
import { type Door, openDoor, PUBLIC_URL, SECRET_KEY } from "./support/api-door.ts";
import {
  addMember,
  auditOf,
  newEmail,
  PASSWORD,
  registerTenant,
  send,
  sessionOf,
  type TestTenant,
} from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const CONFIG = "/api/v1/auth/tenants/webhooks/config/";
const RING = keyRing([new Secret(SECRET_KEY)]);
const INSTRUCTIONS = {
  message: "Use the webhook secret to verify webhook signatures",
  signature_header: "X-Webhook-Signature",
  documentation: `${PUBLIC_URL}/api/docs`,
};

describe.each(BOTH)("the first endpoint's view, %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(async () => door.close());

  const read = async (token: string) => send(door, "GET", CONFIG, { token });
  const set = async (token: string, body: unknown) => send(door, "POST", CONFIG, { token, body });
  /** What deliveries are signed with now. */
  const signing = async ({ id }: TestTenant): Promise<string[]> => {
    const first = await firstEndpoint(door.pipe.database, id);
    return first === undefined ? [] : openSecrets(RING, first, Date.now()).secrets;
  };
  const masked = (secret = ""): string => `whsec_****...${secret.slice(-4)}`;

  it("is there from the registration on, without a URL, with the secret that registration has shown", async () => {
    const body = { company_name: "Hook", email: newEmail(), password: PASSWORD, domain: "hook.example" };
    const { json } = await send(door, "POST", "/api/v1/auth/tenants/register/", { body });
    const { webhook_secret: secret, tokens } = json as { webhook_secret: string; tokens: { access: string } };
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { status, json: config } = await read(tokens.access);
    expect([status, config]).toEqual([
      200,
      { webhook_url: null, webhook_secret: masked(secret), configured: false, instructions: INSTRUCTIONS },
    ]);
  });

  it("takes a URL and keeps its secret, masked, with no warning", async () => {
    const tenant = await registerTenant(door);
    const [secret] = await signing(tenant);
    const answer = await set(tenant.access, { webhook_url: "https://example.com/webhooks/billing" });
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        message: "Webhook configured successfully",
        webhook_url: "https://example.com/webhooks/billing",
        webhook_secret: masked(secret),
        test_url: "/api/v1/auth/tenants/webhooks/test/",
      },
    ]);
    expect((await read(tenant.access)).json).toEqual({
      webhook_url: "https://example.com/webhooks/billing",
      webhook_secret: masked(secret),
      configured: true,
      instructions: INSTRUCTIONS,
    });
    expect(await signing(tenant)).toEqual([secret]);
  });

  it("shows a new secret whole, once, with a warning; the old one signs beside it for 24 hours", async () => {
    const tenant = await registerTenant(door);
    const [old] = await signing(tenant);
    const answer = await set(tenant.access, { webhook_url: "https://example.com/in", regenerate_secret: true });
    const fresh = String(answer.json.webhook_secret);
    expect([answer.status, fresh, String(answer.json.warning)]).toEqual([
      200,
      expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
      expect.stringMatching(/^⚠️ New webhook secret generated\./),
    ]);
    expect(await signing(tenant)).toEqual([fresh, old]);
    const first = await firstEndpoint(door.pipe.database, tenant.id);
    if (first === undefined) throw new Error("no endpoint");
    const day = 86_400_000;
    expect(openSecrets(RING, first, Date.now() + day - 60_000).secrets).toEqual([fresh, old]);
    expect(openSecrets(RING, first, Date.now() + day + 60_000).secrets).toEqual([fresh]);
    expect((await read(tenant.access)).json.webhook_secret).toBe(masked(fresh));
  });

  it("says where the new ed25519 key is that a new secret brings", async () => {
    const tenant = await registerTenant(door);
    const { id = "" } = (await firstEndpoint(door.pipe.database, tenant.id)) ?? {};
    const path = `/api/v1/webhook-endpoints/${id}/`;
    const body = { signature: "v1a" };
    const { json: before } = await send(door, "PATCH", path, { token: tenant.access, body });
    const { json } = await set(tenant.access, { webhook_url: "https://example.com/in", regenerate_secret: true });
    expect(json.warning).toContain(`GET ${path} shows its public_key`);
    const { json: after } = await send(door, "GET", path, { token: tenant.access });
    expect([before.public_key, after.public_key]).toEqual([
      expect.stringMatching(/^whpk_/),
      expect.stringMatching(/^whpk_/),
    ]);
    expect(after.public_key).not.toBe(before.public_key);
  });

  it("loses its URL and keeps its secret when it is removed, and can be set again", async () => {
    const tenant = await registerTenant(door);
    const secrets = await signing(tenant);
    await set(tenant.access, { webhook_url: "https://example.com/in" });
    for (const time of ["once", "twice"]) {
      const removed = await send(door, "DELETE", CONFIG, { token: tenant.access });
      expect([time, removed.status, removed.json]).toEqual([
        time,
        200,
        {
          message: "Webhook configuration removed",
          note: "Webhook secret was preserved. You can reconfigure the URL anytime.",
        },
      ]);
    }
    expect((await read(tenant.access)).json).toMatchObject({ webhook_url: null, configured: false });
    await set(tenant.access, { webhook_url: "https://example.com/again" });
    expect((await read(tenant.access)).json).toMatchObject({ webhook_url: "https://example.com/again" });
    expect(await signing(tenant)).toEqual(secrets);
  });

  it("enables a disabled endpoint when its URL is set: here is no other way to", async () => {
    const tenant = await registerTenant(door);
    await set(tenant.access, { webhook_url: "https://example.com/in" });
    await door.pipe.database.query({
      text: "update webhook_endpoints set status = 'disabled', disabled_reason = 'gone', failing_since = now() where tenant_id = $1",
      values: [tenant.id],
    });
    await set(tenant.access, { webhook_url: "https://example.com/in" });
    expect(await firstEndpoint(door.pipe.database, tenant.id)).toMatchObject({
      ...{ status: "enabled", disabledReason: null, failingSince: null },
    });
  });

  it.each([
    ["http", "http://example.com/in"],
    ["another scheme", "ftp://example.com/"],
    ["no URL", "example"],
    ["credentials", "https://me:secret@example.com/"],
    ["a private address", "https://10.1.2.3/"],
    ["a private address as one number", "https://167772161/x"],
    ["the metadata service", "https://169.254.169.254/"],
    ["a mapped address", "https://[::ffff:10.0.0.1]/"],
    ["nothing", ""],
  ])("refuses %s with 400 and a sentence, and changes nothing", async (_, webhook_url) => {
    const tenant = await registerTenant(door);
    const { status, json } = await set(tenant.access, { webhook_url });
    expect([status, json.code, json.param]).toEqual([400, "invalid_request", "webhook_url"]);
    expect(String(json.message)).toMatch(/\.$/);
    expect((await read(tenant.access)).json).toMatchObject({ webhook_url: null });
  });

  it("is read and set by an admin and by a live key, and removed by an owner alone; a test key may not set it", async () => {
    const tenant = await registerTenant(door);
    const admin = await addMember(door, tenant, "admin");
    const url = { webhook_url: "https://example.com/in" };
    expect((await set(admin.access, url)).status).toBe(200);
    expect((await set(tenant.keys.live_secret, url)).status).toBe(200);
    const refused = await set(tenant.keys.test_secret, url);
    expect([refused.status, refused.json.code]).toEqual([403, "forbidden"]);
    expect((await read(tenant.keys.test_secret)).json).toMatchObject({ webhook_url: "https://example.com/in" });
    expect((await send(door, "DELETE", CONFIG, { token: admin.access })).status).toBe(403);
  });

  it("replays the whole secret under the same Idempotency-Key, and does not make another", async () => {
    const tenant = await registerTenant(door);
    const body = { webhook_url: "https://example.com/in", regenerate_secret: true };
    const options = { token: tenant.access, body, headers: { "idempotency-key": "regenerate-1" } };
    const first = await send(door, "POST", CONFIG, options);
    const again = await send(door, "POST", CONFIG, options);
    expect([again.status, again.json, again.headers.get("idempotent-replayed")]).toEqual([200, first.json, "true"]);
    expect(await signing(tenant)).toHaveLength(2);
  });

  it("tells each change in the audit log, never a secret", async () => {
    const tenant = await registerTenant(door);
    const { json } = await set(tenant.access, { webhook_url: "https://example.com/in", regenerate_secret: true });
    await send(door, "DELETE", CONFIG, { token: tenant.access });
    const told = (await auditOf(door, tenant)).filter(({ action }) => String(action).startsWith("webhook_endpoint."));
    expect(told.map(({ action, before, after }) => ({ action, before, after }))).toEqual([
      {
        action: "webhook_endpoint.updated",
        before: { url: "https://example.com/in" },
        after: { url: null },
      },
      { action: "webhook_endpoint.secret_rotated", before: null, after: { grace_seconds: 86_400 } },
      {
        action: "webhook_endpoint.updated",
        before: { url: null },
        after: { url: "https://example.com/in" },
      },
    ]);
    expect(JSON.stringify(told)).not.toContain(String(json.webhook_secret));
  });

  it("belongs to its tenant alone", async () => {
    const [one, other] = [await registerTenant(door), await registerTenant(door)];
    await set(one.access, { webhook_url: "https://one.example/in" });
    expect((await read(other.access)).json).toMatchObject({ webhook_url: null });
  });

  it("is made for the platform at the start, once, and on demand for a tenant that never had one", async () => {
    const { database, platformTenant } = door.pipe;
    expect(await firstEndpoint(database, platformTenant)).toBeUndefined();
    const link = await firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL });
    const body = { token: link?.split("#token=")[1], email: newEmail(), password: PASSWORD };
    const { access } = sessionOf(await send(door, "POST", "/api/v1/auth/tenants/members/accept/", { body }));
    expect((await read(access)).json).toMatchObject({ webhook_url: null, webhook_secret: null, configured: false });
    const made = await set(access, { webhook_url: "https://platform.example/in" });
    expect(made.json).toMatchObject({ webhook_secret: expect.stringMatching(/^whsec_[^*]+$/) as string });
    await Promise.all([ensurePlatformTenant(database, RING), ensurePlatformTenant(database, RING)]);
    expect((await read(access)).json).toMatchObject({ webhook_url: "https://platform.example/in" });
  });
});
