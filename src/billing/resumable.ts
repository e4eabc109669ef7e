// What work at Stripe needs that goes step by step, each written down, so that whoever takes it over does nothing twice.
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Database } from "../db/database.ts";
import type { StripeAccess } from "../stripe/access.ts";

export interface ResumableContext {
  /** The owner's: what Stripe answered is stored, whoever asked. */
  database: Database;
  stripe: StripeAccess;
  clock: Clock;
  log: Log;
  platformTenant: string;
  /** There are observations to be processed. */
  wake: () => void;
  newLease: () => string;
}

/** More than a call to Stripe takes with its retries; renewed with each step. */
export const STEP_LEASE_SECONDS = 60;
