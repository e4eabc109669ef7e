// The sandbox as the judge: every object that it has against the row that Billhook has made of its events.
import { isDeepStrictEqual } from "node:util";

import { scopeOf } from "../../sandbox/core/kinds.ts";
import type { Database } from "../../src/db/database.ts";
import { keyTypeOf, projectionOf } from "../../src/projections/registry.ts";

/** One object as GET /_sandbox/objects/{kind} lists it. */
export interface SandboxObject {
  /** `test/acct_…` */
  scope: string;
  object: Base;
}

interface Base {
  id: string;
  object: string;
  status?: string | null;
}

export interface OracleReport {
  /** Rows that were held against their object. */
  compared: number;
  /** One sentence for each row that is missing or differs. */
  differences: string[];
}

/** What Stripe changes without an event: Billhook learns of it with the object's next event. */
const SILENT: Readonly<Record<string, readonly string[]>> = {
  // A number that its next invoice takes.
  customer: ["next_invoice_sequence"],
  // There is no invoiceitem.updated: the invoice that takes the item says so.
  invoiceitem: ["invoice"],
  // There is no payment_intent.updated either.
  payment_intent: ["amount", "description", "metadata"],
};

/** Every object that the sandbox has told of in an event, as it is now; deleted ones are gone. */
export async function sandboxObjects(url: string): Promise<SandboxObject[]> {
  const events = (await listed(url, "event")) as { scope: string; object: ToldEvent }[];
  const told = new Set(events.map(({ scope, object: { data } }) => `${scope} ${data.object.id ?? ""}`));
  const kinds = new Set(events.map(({ object: { data } }) => data.object.object));
  const lists = await Promise.all([...kinds].map((kind) => listed(url, kind)));
  return lists.flat().filter(({ scope, object }) => told.has(`${scope} ${object.id}`));
}

interface ToldEvent extends Base {
  data: { object: { id?: string; object: string } };
}

async function listed(url: string, kind: string): Promise<SandboxObject[]> {
  const response = await fetch(`${url}/_sandbox/objects/${kind}`);
  return ((await response.json()) as { data: SandboxObject[] }).data;
}

/**
 * `platform`: the sandbox's platform account, whose objects have no account in Billhook. What belongs to a connected
 * account that no tenant owns has no rows yet.
 */
export async function compareWithSandbox(
  database: Database,
  objects: readonly SandboxObject[],
  platform: string,
): Promise<OracleReport> {
  const own = objects.filter(({ scope }) => scopeOf(scope).account === platform);
  const differences: string[] = [];
  for (const { scope, object } of own) {
    const { livemode } = scopeOf(scope);
    const difference = await differenceOf(database, { livemode, account: "" }, object);
    if (difference !== undefined) differences.push(`${object.object} ${object.id}: ${difference}`);
  }
  return { compared: own.length, differences };
}

async function differenceOf(
  database: Database,
  { livemode, account }: { livemode: boolean; account: string },
  object: Base,
): Promise<string | undefined> {
  const { table } = projectionOf(keyTypeOf(object.object));
  const { rows } = await database.query<{ data: string; status?: string | null }>({
    text: `select * from ${table} where livemode = $1 and stripe_account = $2 and id = $3`,
    values: [livemode, account, object.id],
  });
  const [row] = rows;
  if (row === undefined) return "no row";
  const stored = JSON.parse(row.data) as Record<string, unknown>;
  if (row.status !== undefined && row.status !== (object.status ?? null))
    return `status ${String(row.status)}, not ${String(object.status)}`;
  const current = object as unknown as Record<string, unknown>;
  const silent = SILENT[object.object] ?? [];
  const differing = [...new Set([...Object.keys(stored), ...Object.keys(current)])].filter(
    (name) => !silent.includes(name) && !isDeepStrictEqual(stored[name], current[name]),
  );
  if (differing.length === 0) return undefined;
  const short = (value: unknown): string => (value === undefined ? "none" : JSON.stringify(value).slice(0, 80));
  return `differs in ${differing.map((name) => `${name} (${short(stored[name])} / ${short(current[name])})`).join(", ")}`;
}
