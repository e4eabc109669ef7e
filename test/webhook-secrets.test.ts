// The signing secrets of the Stripe account's endpoints, as two, as one, swapped and wrong: what a served Billhook takes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readyDatabase } from "./support/ready-database.ts";
import { type OpenSandbox, openSandbox, SANDBOX_KEY } from "./support/sandbox.ts";
import { OPERATOR_TOKEN, post, serve, type Served } from "./support/serve.ts";

const PLATFORM = "whsec_of_the_platform_endpoint";
const CONNECT = "whsec_of_the_connect_endpoint";
const ONE = "whsec_of_the_only_endpoint";

let sandbox: OpenSandbox;
let folder = "";
let served: Served | undefined;
beforeEach(async () => {
  sandbox = await openSandbox({ retrySchedule: [0.2, 0.2, 0.5, 0.5, 1, 1] });
  folder = mkdtempSync(join(tmpdir(), "billhook-secrets-"));
});
afterEach(async () => {
  await served?.end("SIGKILL");
  served = undefined;
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

type Secrets = Partial<
  Record<"STRIPE_WEBHOOK_SECRET" | "STRIPE_CONNECT_WEBHOOK_SECRET" | "STRIPE_ENDPOINT_SECRET", string>
>;

/** A Billhook that knows these secrets, and a Stripe account whose two kinds of events are signed with those. */
async function start(known: Secrets, signed: { platform: string; connect: string }): Promise<Served> {
  const variables = { STRIPE_WEBHOOK_SECRET: undefined, ...known } as Record<string, string>;
  served = await serve({
    DATA_DIR: folder,
    DATABASE_URL: await readyDatabase(),
    STRIPE_SECRET_KEY: SANDBOX_KEY,
    STRIPE_API_BASE: sandbox.url,
    // What is not taken here must not come by Stripe's list of events.
    CATCH_UP_EVERY_SECONDS: "0",
    ...variables,
  });
  await served.ready();
  endpoints(served, signed);
  return served;
}

function endpoints({ url }: Served, signed: { platform: string; connect: string }): void {
  sandbox.register([
    { url: `${url}/stripe/webhook/`, secret: signed.platform, connect: false },
    { url: `${url}/stripe/webhook/`, secret: signed.connect, connect: true },
  ]);
}

/** A customer of the platform's, and one of a connected account's. */
async function happen(): Promise<string> {
  const { id: account } = await sandbox.stripe.accounts.create({ type: "standard" });
  await sandbox.stripe.customers.create({ name: "Of the platform" });
  await sandbox.stripe.customers.create({ name: "Of the account" }, { stripeAccount: account });
  return account;
}

interface Stored {
  id: string;
  type: string;
  account: string | null;
}

async function stored({ url }: Served): Promise<Stored[]> {
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` };
  const answer = await fetch(`${url}/api/v1/admin/stripe-events/?limit=100`, { headers });
  return ((await answer.json()) as { data: Stored[] }).data;
}

async function allArrive(server: Served, account: string): Promise<void> {
  const sent = sandbox
    .events()
    .map(({ id }) => id)
    .sort();
  await expect.poll(async () => (await stored(server)).map(({ id }) => id).sort(), { timeout: 15_000 }).toEqual(sent);
  const customers = (await stored(server)).filter(({ type }) => type === "customer.created");
  expect(new Set(customers.map((event) => event.account))).toEqual(new Set([null, account]));
}

describe("events of the platform and of a connected account are taken, and told apart by the account that they name", () => {
  const CASES: [string, Secrets, { platform: string; connect: string }][] = [
    [
      "two endpoints, each with its secret in its variable",
      { STRIPE_WEBHOOK_SECRET: PLATFORM, STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT },
      { platform: PLATFORM, connect: CONNECT },
    ],
    [
      "two endpoints, with their secrets in each other's variable",
      { STRIPE_WEBHOOK_SECRET: CONNECT, STRIPE_CONNECT_WEBHOOK_SECRET: PLATFORM },
      { platform: PLATFORM, connect: CONNECT },
    ],
    [
      "one secret for all, in both variables",
      { STRIPE_WEBHOOK_SECRET: ONE, STRIPE_CONNECT_WEBHOOK_SECRET: ONE },
      { platform: ONE, connect: ONE },
    ],
    ["one secret for all, as `stripe listen` has it", { STRIPE_WEBHOOK_SECRET: ONE }, { platform: ONE, connect: ONE }],
    ["one secret for all, under its other name", { STRIPE_ENDPOINT_SECRET: ONE }, { platform: ONE, connect: ONE }],
    [
      "a secret that is being rotated, the old one beside the new",
      { STRIPE_WEBHOOK_SECRET: `${ONE},${PLATFORM}`, STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT },
      { platform: PLATFORM, connect: CONNECT },
    ],
  ];

  it.each(CASES)("with %s", { timeout: 40_000 }, async (_, known, signed) => {
    const server = await start(known, signed);
    await allArrive(server, await happen());
  });
});

it(
  "an event that is signed with another secret is refused and not stored, and arrives once the secret is right",
  { timeout: 40_000 },
  async () => {
    const server = await start(
      { STRIPE_WEBHOOK_SECRET: PLATFORM, STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT },
      { platform: ONE, connect: CONNECT },
    );
    const account = await happen();
    const isConnected = ({ account: of }: Stored): boolean => of === account;
    await expect.poll(async () => (await stored(server)).some(isConnected), { timeout: 10_000 }).toBe(true);
    expect((await stored(server)).every(isConnected)).toBe(true);
    const [event] = sandbox.events("customer.created");
    const body = JSON.stringify(event);
    expect(await post(server.url, body, ONE)).toBe(400);
    expect(await post(server.url, body, PLATFORM)).toBe(200);
    expect((await stored(server)).map(({ id }) => id)).toContain(event?.id);
    endpoints(server, { platform: PLATFORM, connect: CONNECT });
    for (const { id } of sandbox.events()) sandbox.resend(id);
    await allArrive(server, account);
  },
);
