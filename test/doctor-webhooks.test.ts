// The doctor and Stripe's webhooks: secrets, endpoints, key, clock, proxies and lost events are broken, and told apart.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { Secret } from "../src/base/secret.ts";
import { SETUP_EVENT_TYPES } from "../src/operations/stripe-setup-events.ts";
import { stripeAccess } from "../src/stripe/access.ts";
import { STRIPE_API_VERSION } from "../src/stripe/client.ts";
import { type DoctorScene, openDoctorScene } from "./support/doctor-scene.ts";
import { BOTH } from "./support/pipe.ts";
import { event, NEW_API, type StripeEvent } from "./support/stripe-fixtures.ts";
import { newCustomer } from "./support/stripe-fixtures-billing.ts";
import { accessTo } from "./support/stripe-switch.ts";

const now = (): number => Math.floor(Date.now() / 1000);
const created = (name: string, account?: string): StripeEvent =>
  event("customer.created", newCustomer({ id: `cus_${name}`, name: "Zoë – naïve" }), {
    ...{ created: now(), apiVersion: NEW_API },
    ...(account === undefined ? {} : { account }),
  });

describe.each(BOTH)("deliveries that were refused, %s database", (kind) => {
  let scene: DoctorScene;
  beforeAll(async () => {
    scene = await openDoctorScene(kind);
  });
  afterAll(() => scene.close());
  afterEach(async () => {
    await scene.report();
    await scene.door.pipe.database.query("delete from webhook_receipts");
  });

  it.each([
    ["platform", undefined, "STRIPE_WEBHOOK_SECRET", "STRIPE_CONNECT_WEBHOOK_SECRET"],
    ["connect", "acct_1", "STRIPE_CONNECT_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET"],
  ])(
    "a wrong secret of the %s endpoint names its variable, until events of it are taken",
    async (role, account, variable, other) => {
      expect((await scene.send(created("wrong", account), { secret: "whsec_wrong" })).status).toBe(400);
      const { subject, mend, severity } = await scene.finding("webhook_secret_wrong");
      expect([subject, severity]).toEqual([`/stripe/webhook/ ${role} test`, "error"]);
      expect([mend.includes(`into ${variable},`), mend.includes(other)]).toEqual([true, false]);
      expect((await scene.send(created(`right_${role}`, account))).status).toBe(200);
      expect((await scene.finding("webhook_secret_mixed")).mend).toContain(variable);
      const taken = await scene.finding("webhook_receipts");
      expect(taken.details).toMatchObject({ address: "/stripe/webhook/", role, livemode: false, count: 1 });
      await scene.door.pipe.database.query("update webhook_receipts set last_at = now() - interval '2 days'");
      expect((await scene.troubles()).filter((code) => code.startsWith("webhook_"))).toEqual([]);
    },
  );

  it.each([
    ["reads and writes it anew", (body: string) => JSON.stringify(JSON.parse(body))],
    ["adds a line end", (body: string) => `${body}\n`],
    ["writes other line ends", (body: string) => body.replaceAll("\n", "\r\n")],
    [
      "escapes letters",
      (body: string) =>
        body.replace(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`),
    ],
  ])("a proxy that %s is told from a wrong secret", async (_, rewrite) => {
    expect((await scene.send(created("rewritten"), { body: rewrite })).status).toBe(400);
    const { mend } = await scene.finding("webhook_body_changed");
    expect(mend).toContain("/stripe/webhook/");
    expect(await scene.troubles()).not.toContain("webhook_secret_wrong");
  });

  it("a signature that is gone, and one of long ago", async () => {
    await scene.send(created("bare"), { headers: { "stripe-signature": "" } });
    expect((await scene.finding("webhook_signature_stripped")).mend).toContain("Stripe-Signature");
    await scene.send(created("late"), { at: now() - 1_000 });
    expect((await scene.finding("webhook_stale")).mend).toContain("NTP");
  });

  it("what is no event of Stripe's is no finding, and a flood is counted no further than it was looked into", async () => {
    await scene.door.webhook("hello", { "stripe-signature": "t=1,v1=00" });
    await scene.door.webhook("{}", { "stripe-signature": "" });
    for (let left = 40; left > 0; left--) await scene.send(created("flood"), { secret: "whsec_flood" });
    const { cause } = await scene.finding("webhook_secret_wrong");
    expect(Number(/^\d+/.exec(cause)?.[0])).toBeLessThanOrEqual(20);
    const { rows } = await scene.door.pipe.database.query(
      "select kind from webhook_receipts group by kind order by kind",
    );
    expect(rows).toEqual([{ kind: "none" }, { kind: "platform" }]);
    expect((await scene.troubles()).filter((code) => code.startsWith("webhook_"))).toEqual(["webhook_secret_wrong"]);
  });
});

describe("Stripe, its endpoints and the way to the door", () => {
  let scene: DoctorScene;
  beforeAll(async () => {
    scene = await openDoctorScene("embedded");
  });
  afterAll(() => scene.close());

  const ADDRESS = (): string => `${scene.door.url}/stripe/webhook/`;
  const hooks = () => scene.sandbox.stripe.webhookEndpoints;
  const make = async (connect: boolean, more: object = {}): Promise<string> => {
    const wanted = { url: ADDRESS(), connect, enabled_events: [...SETUP_EVENT_TYPES] as ["*"] };
    return (await hooks().create({ ...wanted, api_version: STRIPE_API_VERSION, ...more })).id;
  };

  it("an endpoint that is disabled, lacks types or leads elsewhere", async () => {
    const id = scene.endpoints.platform;
    await hooks().update(id, { disabled: true, enabled_events: ["invoice.paid"] });
    expect(await scene.finding("webhook_endpoint_disabled")).toMatchObject({ subject: id, severity: "error" });
    const { subject, mend, details } = await scene.finding("webhook_endpoint_events");
    expect([subject, mend]).toEqual([id, "Run `billhook stripe setup --mode test`, which adds them."]);
    expect(details).toEqual({ lacking: SETUP_EVENT_TYPES.filter((type) => type !== "invoice.paid") });
    await hooks().update(id, {
      disabled: false,
      enabled_events: ["*"],
      url: "https://old.example.com/stripe/webhook/",
    });
    const elsewhere = await scene.finding("webhook_endpoint_url_wrong");
    expect(elsewhere.subject).toBe(id);
    expect(elsewhere.mend).toContain(ADDRESS());
    await hooks().update(id, { url: ADDRESS() });
    expect(await scene.troubles()).toEqual([]);
  });

  it("an endpoint that is missing, was made without the Connect flag, twice, or in another version", async () => {
    await hooks().del(scene.endpoints.connect);
    expect((await scene.finding("connect_endpoint_missing")).severity).toBe("warning");
    const query = (text: string) => scene.door.pipe.database.query(text);
    await query("insert into tenants (id) values ('ten_connected')");
    await query(
      "insert into connections (livemode, stripe_account, tenant_id) values (false, 'acct_of_it', 'ten_connected')",
    );
    expect(await scene.finding("webhook_endpoint_missing")).toMatchObject({
      subject: "connect test",
      severity: "error",
    });
    await query("delete from connections");
    const plain = await make(false);
    const { subject, mend } = await scene.finding("webhook_endpoint_not_connect");
    expect([subject, mend.includes(`delete ${plain}`)]).toEqual([plain, true]);
    const old = await make(true, { api_version: "2024-06-20" });
    expect((await scene.finding("webhook_endpoint_twice")).subject).toBe(plain);
    const version = await scene.finding("webhook_endpoint_version");
    expect([version.subject, version.mend.includes(STRIPE_API_VERSION)]).toEqual([old, true]);
    await hooks().del(plain);
    await hooks().del(old);
    await make(true);
    expect(await scene.troubles()).toEqual([]);
  });

  it("secrets that are swapped, and one that is missing", async () => {
    const [first, second] = scene.doctor.webhookSecrets;
    if (first === undefined || second === undefined) throw new Error("no secrets");
    scene.doctor.webhookSecrets = [
      { ...first, name: second.name },
      { ...second, name: first.name },
    ];
    const swapped = await scene.finding("webhook_secrets_swapped");
    expect([swapped.subject, swapped.mend.includes("STRIPE_WEBHOOK_SECRET")]).toEqual([scene.endpoints.platform, true]);
    scene.doctor.webhookSecrets = [{ ...first, secret: "whsec_another" }, second];
    const missing = await scene.finding("webhook_secret_missing");
    expect([missing.subject, missing.mend.includes("into STRIPE_WEBHOOK_SECRET")]).toEqual([
      scene.endpoints.platform,
      true,
    ]);
    const other = await scene.finding("door_other_secret");
    expect([other.subject, other.mend.includes("STRIPE_WEBHOOK_SECRET")]).toEqual([ADDRESS(), true]);
    scene.doctor.webhookSecrets = scene.secrets;
  });

  it("a key that Stripe refuses, and a Stripe that does not answer, each told once", async () => {
    const { current } = scene.stripe.access;
    const apiBase = scene.sandbox.url;
    scene.stripe.access.current = stripeAccess({ keys: { test: new Secret("nonsense") }, apiBase, clock: systemClock });
    expect(await scene.finding("stripe_key_refused")).toMatchObject({
      subject: "STRIPE_SECRET_KEY",
      severity: "error",
    });
    scene.stripe.access.current = accessTo("http://127.0.0.1:9");
    expect((await scene.finding("stripe_unreachable")).cause).toContain("ECONNREFUSED");
    scene.stripe.access.current = current;
    expect(await scene.troubles()).toEqual([]);
  });

  it("a clock that goes wrong, by how much and in which direction", async () => {
    for (const [ahead, code, direction] of [
      [400_000, "clock_wrong", "ahead of"],
      [-400_000, "clock_wrong", "behind"],
      [30_000, "clock_skewed", "ahead of"],
    ] as const) {
      scene.clock.ahead = ahead;
      const { cause } = await scene.finding(code);
      expect(cause).toContain(direction);
      expect(Math.abs(Number(/ (\d+) seconds/.exec(cause)?.[1]) - Math.abs(ahead) / 1000)).toBeLessThanOrEqual(5);
      expect((await scene.finding("database_clock_skewed")).severity).toBe("warning");
    }
    scene.clock.ahead = 0;
  });

  it.each<
    [string, string, (request: IncomingMessage, body: string, response: ServerResponse, forward: Forward) => void]
  >([
    [
      "rewrites bodies",
      "door_rewrites",
      ({ headers }, body, _, forward) => forward(JSON.stringify(JSON.parse(body)), headers),
    ],
    [
      "drops the signature",
      "door_strips_signature",
      ({ headers }, body, _, forward) => forward(body, { ...headers, "stripe-signature": undefined }),
    ],
    [
      "redirects",
      "door_redirects",
      (_, _body, response) => response.writeHead(301, { location: "https://www.example.com/" }).end(),
    ],
    [
      "shows a page of its own",
      "door_elsewhere",
      (_, _body, response) => response.writeHead(403).end("<html>Forbidden</html>"),
    ],
  ])("a proxy before the door that %s", async (_, code, behave) => {
    const proxy = await openProxy(scene.door.port, behave);
    scene.set({ PUBLIC_URL: proxy.url });
    const { subject, mend, severity } = await scene.finding(code);
    expect([subject, severity]).toEqual([`${proxy.url}/stripe/webhook/`, "error"]);
    expect(mend.includes(proxy.url) || code === "door_redirects").toBe(true);
    await proxy.close();
    expect((await scene.finding("door_unreachable")).subject).toBe(`${proxy.url}/stripe/webhook/`);
    scene.set({});
  });

  it("events that Stripe holds and that are not here", async () => {
    const refused = () => scene.door.refused.filter((code) => code === "signature_mismatch").length;
    const before = refused();
    const secrets = scene.secrets.splice(0);
    const lost = await scene.sandbox.stripe.customers.create({ name: "Lost" });
    await expect.poll(refused, { timeout: 15_000 }).toBeGreaterThan(before);
    scene.secrets.push(...secrets);
    // Five minutes later it is no longer on its way.
    scene.clock.ahead = 400_000;
    const { details, mend } = await scene.finding("events_not_delivered");
    const [sent] = scene.sandbox
      .events("customer.created")
      .filter(({ data }) => (data.object as { id: string }).id === lost.id);
    expect([details?.events, mend.includes("billhook catch-up --since")]).toEqual([[sent?.id], true]);
    scene.clock.ahead = 0;
  });
});

type Forward = (body: string, headers: IncomingMessage["headers"]) => void;

async function openProxy(
  port: number,
  behave: (request: IncomingMessage, body: string, response: ServerResponse, forward: Forward) => void,
) {
  const server = createServer((incoming, response) => {
    let text = "";
    incoming.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    incoming.on("end", () => {
      behave(incoming, text, response, (body, { "content-length": _length, ...given }) => {
        const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const sent = request({ host: "127.0.0.1", port, method: "POST", path: incoming.url, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        sent.end(body);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
