// Stripe on this machine: starts the sandbox when no Stripe key is set, and makes Billhook known to it.
import { join } from "node:path";

import { Secret } from "../base/secret.ts";
import type { Config, WebhookSecret } from "../config.ts";
import { failed } from "./command-failure.ts";

/** Any well-formed key is the sandbox's platform; this one is what Billhook itself uses. */
const KEY = "sk_test_billhook_local_sandbox";
/** Its twin, for browsers. */
const PUBLISHABLE_KEY = "pk_test_billhook_local_sandbox";
const WEBHOOK_PATH = "/stripe/webhook/";
const CONNECT = "STRIPE_CONNECT_WEBHOOK_SECRET";

/** What the sandbox needs to know of Billhook's inbox. */
export interface Inbox {
  unknownEvents: (ids: readonly string[]) => Promise<string[]>;
  settled: (atMostMs: number) => Promise<void>;
  ensureSamplePacks: () => Promise<void>;
}

/** The small world is a dozen events: where they take longer, the process says ready and goes on with them. */
const SETTLED_MS = 10_000;

export interface LocalStripe {
  /** `http://127.0.0.1:12111` */
  url: string;
  /** `config` with the sandbox in place of Stripe. */
  configured: (config: Config) => Config;
  /** Registers the two endpoints, makes the small world, and sells what is in it. Resolves when Billhook has answered for all of it. */
  introduce: (address: string, secrets: readonly WebhookSecret[], app: Inbox) => Promise<void>;
  close: () => Promise<void>;
}

/** Undefined when a Stripe key is set, or the sandbox is turned off. Rejects when its port or its file is taken. */
export async function openLocalStripe(config: Config): Promise<LocalStripe | undefined> {
  if (config.sandbox === undefined) return undefined;
  const { startSandbox } = await import("../../sandbox/sandbox.ts");
  const sandbox = await startSandbox({ ...config.sandbox, folder: join(config.dataDir, "sandbox") }).catch(
    (error: unknown) => {
      throw failed(
        "sandbox_not_started",
        "The Stripe sandbox did not start",
        error instanceof Error ? error.message : String(error),
        error,
      );
    },
  );
  return {
    url: sandbox.url,
    configured: (given) => ({
      ...given,
      stripeKeys: { test: new Secret(KEY) },
      publishableKeys: { test: PUBLISHABLE_KEY },
      stripeApiBase: sandbox.url,
      connect: { ...given.connect, clientIds: { test: sandbox.clientId } },
      livemode: false,
    }),
    introduce: async (address, secrets, app) => {
      const url = `${address}${WEBHOOK_PATH}`;
      sandbox.letControl(dashboardOrigins(address, config));
      sandbox.register(
        [false, true].flatMap((connect) => {
          const secret = secretFor(secrets, connect);
          return secret === undefined ? [] : [{ url, secret: secret.reveal(), connect }];
        }),
      );
      const made = sandbox.seed();
      await sandbox.idle(SETTLED_MS);
      // Another database than at the last start has not heard of what the sandbox still knows.
      for (const event of await app.unknownEvents(made)) sandbox.resend(event);
      await app.ensureSamplePacks();
      await sandbox.idle(SETTLED_MS);
      await app.settled(SETTLED_MS);
    },
    close: () => sandbox.close(),
  };
}

/** The dashboard's pages turn the sandbox's knobs; a browser on this machine knows it by either name. */
function dashboardOrigins(address: string, { publicUrl }: Config): string[] {
  const { port } = new URL(address);
  return [`http://localhost:${port}`, `http://127.0.0.1:${port}`, new URL(publicUrl).origin];
}

/** The Connect endpoint signs with the Connect secret, the platform's with the first of the others; either serves for both. */
function secretFor(secrets: readonly WebhookSecret[], connect: boolean): Secret | undefined {
  const fitting = secrets.find(({ variable }) => (variable === CONNECT) === connect);
  return (fitting ?? secrets[0])?.secret;
}
