// Whether what a queued mail says is still so when it is sent: names here, the questions behind them from app.ts. Pure.
import type { Queryable } from "../db/database.ts";

/** What the question is about, such as an object's id with its account and mode. */
export type MailReference = Readonly<Record<string, string | number | boolean>>;

/** Resolves false when the mail is no longer true, which drops it. A question that fails is asked again later. */
export type MailCheck = (database: Queryable, reference: MailReference) => Promise<boolean>;

/** By name. A mail whose check this process does not know waits for one that does. */
export type MailChecks = Readonly<Record<string, MailCheck>>;

export interface WantedCheck {
  name: string;
  reference: MailReference;
}

/** Rejects when there is no such check here, or when it could not find out. */
export async function stillTrue(checks: MailChecks, database: Queryable, wanted: WantedCheck): Promise<boolean> {
  const check = Object.hasOwn(checks, wanted.name) ? checks[wanted.name] : undefined;
  if (check === undefined) throw new Error(`this process does not know the check ${wanted.name}`);
  return check(database, wanted.reference);
}
