// A Billhook that is in order beside a sandbox, for tests that break one thing and read what the doctor finds.
import { tmpdir } from "node:os";

import { systemClock } from "../../src/base/clock.ts";
import { type Config, type Environment, readConfig } from "../../src/config.ts";
import { type EndpointRole, ROLE_MARK, SECRET_MARK, secretMark } from "../../src/operations/stripe-setup-plan.ts";
import { ROLE_VARIABLE } from "../../src/operations/doctor-endpoints.ts";
import type { Finding, Report } from "../../src/operations/doctor-report.ts";
import { type WebhookReceipts, webhookReceipts } from "../../src/operations/doctor-receipts.ts";
import { SETUP_EVENT_TYPES } from "../../src/operations/stripe-setup-events.ts";
import { STRIPE_API_VERSION } from "../../src/stripe/client.ts";
import type { SigningSecret } from "../../src/stripe/signature.ts";
import { type Answer, type Door, openDoor, signature } from "./api-door.ts";
import { expectDocumented } from "./operator-scene.ts";
import type { Kind } from "./pipe.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./sandbox.ts";
import { stripeSwitch } from "./stripe-switch.ts";

export const LONG_SECRET = "a_secret_of_the_tests_of_more_than_32_characters";

export interface DoctorScene {
  door: Door;
  sandbox: OpenSandbox;
  /** The endpoints at Stripe, by role. */
  endpoints: Record<EndpointRole, string>;
  /** Those that are tried at the door; a test may replace them. */
  secrets: SigningSecret[];
  stripe: ReturnType<typeof stripeSwitch>;
  /** What the doctor alone sees, beside the database. */
  doctor: { config: Config; webhookSecrets: SigningSecret[] };
  /** How far the doctor's clock goes wrong, in milliseconds. */
  clock: { ahead: number };
  /** Changes the settings that the doctor sees. */
  set(env: Environment): void;
  /** Posts an event to the door, spaced and signed as the platform's endpoint does; a test may change what goes out. */
  send(
    event: object,
    change?: { body?: (body: string) => string; secret?: string; at?: number; headers?: Record<string, string> },
  ): Promise<Answer>;
  report(): Promise<Report>;
  /** Of this code; an error where there is none, or more than one. */
  finding(code: string): Promise<Finding>;
  /** Codes of what is worse than a notice. */
  troubles(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openDoctorScene(kind: Kind): Promise<DoctorScene> {
  const sandbox = await openSandbox();
  const stripe = stripeSwitch(sandbox.url);
  const clock = { ahead: 0 };
  const secrets: SigningSecret[] = [];
  const after: { receipts?: WebhookReceipts } = {};
  const doctor = {
    config: readConfig({}),
    webhookSecrets: secrets,
    flushReceipts: async () => after.receipts?.flush(),
  };
  const door = await openDoor(kind, {
    deps: {
      ...{ stripe: stripe.stripe, doctor },
      clock: { now: () => systemClock.now() + clock.ahead, monotonic: () => systemClock.monotonic() },
    },
    receive: {
      secrets,
      notes: {
        accepted: (...told) => after.receipts?.accepted(...told),
        refused: (refusal) => after.receipts?.refused(refusal),
      },
    },
  });
  const set = (env: Environment): void => {
    doctor.config = configured(door, sandbox, env);
  };
  set({});
  const endpoints = {
    platform: await makeEndpoint(door, sandbox, secrets, "platform"),
    connect: await makeEndpoint(door, sandbox, secrets, "connect"),
  };
  const { database } = door.pipe;
  const onError = (error: unknown): void => void door.lines.push({ level: "error", message: String(error) });
  const receipts = webhookReceipts({ database, clock: systemClock, secrets, onError });
  after.receipts = receipts;
  const report = async (): Promise<Report> => {
    const answer = await door.admin("GET", "doctor/");
    if (answer.status !== 200) throw new Error(answer.text);
    expectDocumented("doctor/", answer);
    return answer.json as unknown as Report;
  };
  return {
    ...{ door, sandbox, endpoints, secrets, stripe, doctor, clock, set, report },
    send: async (event, { body: rewrite = (body: string) => body, secret = secrets[0]?.secret, at, headers } = {}) => {
      const body = JSON.stringify(event, null, 2);
      return door.webhook(rewrite(body), { "stripe-signature": signature(body, secret, at), ...headers });
    },
    finding: async (code) => {
      const { findings } = await report();
      const found = findings.filter((one) => one.code === code);
      if (found.length === 1 && found[0] !== undefined) return found[0];
      throw new Error(`${found.length} findings of ${code} among ${findings.map((one) => one.code).join(", ")}`);
    },
    troubles: async () =>
      (await report()).findings
        .filter(({ severity }) => severity === "error" || severity === "warning")
        .map(({ code }) => code),
    close: async () => {
      await sandbox.close();
      await receipts.close();
      await door.close();
    },
  };
}

function configured(door: Door, sandbox: OpenSandbox, env: Environment): Config {
  return readConfig({
    STRIPE_SECRET_KEY: SANDBOX_KEY,
    STRIPE_API_BASE: sandbox.url,
    STRIPE_WEBHOOK_SECRET: "whsec_not_read_here",
    PUBLIC_URL: door.url,
    SECRET_KEY: LONG_SECRET,
    OPERATOR_TOKEN: LONG_SECRET,
    DATA_DIR: tmpdir(),
    ...env,
  });
}

/** As `billhook stripe setup` makes it. */
async function makeEndpoint(
  door: Door,
  { stripe }: OpenSandbox,
  secrets: SigningSecret[],
  role: EndpointRole,
): Promise<string> {
  const made = await stripe.webhookEndpoints.create({
    url: `${door.url}/stripe/webhook/`,
    connect: role === "connect",
    enabled_events: [...SETUP_EVENT_TYPES] as ["*"],
    api_version: STRIPE_API_VERSION,
    metadata: { [ROLE_MARK]: role },
  });
  const secret = made.secret ?? "";
  await stripe.webhookEndpoints.update(made.id, { metadata: { [SECRET_MARK]: secretMark(secret) } });
  secrets.push({ secret, name: ROLE_VARIABLE[role] });
  return made.id;
}
