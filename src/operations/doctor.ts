// The doctor: looks at everything that can be wrong, each thing by itself and for a few seconds at most, and reports.
import { PublicError } from "../base/errors.ts";
import { scrub } from "../base/log.ts";
import type { Database, Queryable } from "../db/database.ts";
import { type Check, CHECK_MS, type DoctorContext, type Examined } from "./doctor-check.ts";
import { CHECKS } from "./doctor-checks.ts";
import { type CheckOutcome, type Found, findingOf, type Report, reportOf } from "./doctor-report.ts";

/** The checks share the pool with whoever works. */
const AT_ONCE = 4;

export interface DoctorOptions {
  /** What is known before anything is looked at, such as why there is no database. */
  known?: readonly Found[];
  checks?: readonly Check[];
  /** Instead of CHECK_MS. */
  withinMs?: number;
}

interface Looked {
  found: readonly Found[];
  outcome: CheckOutcome["outcome"];
}

/** Never rejects: what cannot be checked is a finding. */
export async function diagnose(context: DoctorContext, options: DoctorOptions = {}): Promise<Report> {
  const { known = [], checks = CHECKS, withinMs = CHECK_MS } = options;
  const examined = examinedOf(context);
  const looked = new Map<Check, Looked>();
  const left = [...checks];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift())
        looked.set(next, await lookAt(next, examined, context.database !== undefined, withinMs));
    }),
  );
  const results = checks.map((one) => ({ one, ...(looked.get(one) ?? NOTHING) }));
  const outcomes = results.map(({ one: { code, title }, outcome }): CheckOutcome => ({ code, title, outcome }));
  const found = eachOnce([...known, ...results.flatMap((result) => result.found)]);
  return reportOf(context.clock.now(), found, outcomes);
}

const NOTHING: Looked = { found: [], outcome: "skipped" };

function examinedOf({ database, ...context }: DoctorContext): Examined {
  return {
    ...context,
    databaseKind: database?.kind ?? "server",
    ask: database === undefined ? NO_DATABASE : briefly(database),
  };
}

const NO_DATABASE: Queryable = {
  query: async () => {
    throw new Error("there is no database");
  },
};

/** On a server no question outlives its check; embedded there is one session, and nothing ends a statement there. */
function briefly(database: Database): Queryable {
  if (database.kind === "embedded") return database;
  return {
    query: (statement) =>
      database.transaction(async (tx) => {
        await tx.query(`set transaction read only; set local statement_timeout = ${CHECK_MS}`);
        return tx.query(statement);
      }),
  };
}

async function lookAt(check: Check, examined: Examined, hasDatabase: boolean, withinMs: number): Promise<Looked> {
  if (!hasDatabase && (check.needs === "database" || check.needs === "both")) return NOTHING;
  try {
    const found = await within(check.run(examined), withinMs);
    // A sentence that lacks a value is this check's mistake, and no other's.
    const isOk = found.map(findingOf).every(({ severity }) => severity === "ok");
    return { found, outcome: isOk ? "ok" : "found" };
  } catch (error) {
    const values = { check: check.title, reason: reasonOf(error) };
    return { found: [{ code: "check_failed", subject: check.code, values }], outcome: "failed" };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof PublicError || error instanceof Error) return scrub(error.message.split("\n")[0] ?? error.name);
  return "something that is no error was thrown";
}

/** What comes later than that is nobody's. */
async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${milliseconds / 1000} seconds`));
    }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Several checks may meet one trouble, such as a Stripe that does not answer. */
function eachOnce(found: readonly Found[]): Found[] {
  const seen = new Set<string>();
  return found.filter(({ code, subject }) => {
    const name = `${code} ${subject ?? ""}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}
