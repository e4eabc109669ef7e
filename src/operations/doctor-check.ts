// A check of the doctor: what it looks at (I/O) and how it judges what it saw (pure), and what all checks work with.
import type { Clock } from "../base/clock.ts";
import type { Config } from "../config.ts";
import type { Database, Queryable } from "../db/database.ts";
import type { StripeAccess } from "../stripe/access.ts";
import type { SigningSecret } from "../stripe/signature.ts";
import type { Found } from "./doctor-report.ts";

export interface DoctorContext {
  /** As this process runs with it: with the sandbox's key and address where that stands in for Stripe. */
  config: Config;
  /** Undefined: it cannot be opened. */
  database: Database | undefined;
  stripe: StripeAccess;
  clock: Clock;
  /** Those that are tried at the webhook door, in their order. */
  webhookSecrets: readonly SigningSecret[];
  /** Writes down what this process has counted at the webhook door. */
  flushReceipts: () => Promise<void>;
}

/** What `look` gets. */
export interface Examined extends Omit<DoctorContext, "database" | "flushReceipts"> {
  /** Asks the database, each time for a few seconds at most. Checks that need it run only where it is there. */
  ask: Queryable;
  databaseKind: Database["kind"];
  flushReceipts: () => Promise<void>;
}

export type Need = "nothing" | "database" | "stripe" | "both";

export interface Check {
  code: string;
  title: string;
  needs: Need;
  run: (examined: Examined) => Promise<readonly Found[]>;
}

export function check<Facts>(spec: {
  code: string;
  title: string;
  needs: Need;
  look: (examined: Examined) => Promise<Facts> | Facts;
  judge: (facts: Facts) => readonly Found[];
}): Check {
  const { code, title, needs, look, judge } = spec;
  return { code, title, needs, run: async (examined) => judge(await look(examined)) };
}

/** Milliseconds that a check may take. */
export const CHECK_MS = 5_000;
