// What the operator's pages ask beyond the generated client: lists by their names, and routes that are newer than it.
import type { BillhookClient, components } from "../../kit/client/client.ts";
import type { Page } from "../frame/hooks.ts";

type Schemas = components["schemas"];
export type StripeEvent = Schemas["StripeEvent"];
export type Change = Schemas["Change"];
export type LogEntry = Schemas["LogEntry"];
export type FoundAccount = Schemas["FoundAccount"];
export type ListedTenant = Schemas["ListedTenant"];
export type ListedUser = Schemas["ListedUser"];
export type ListedPurchase = Schemas["ListedPurchase"];
export type Unmatched = Schemas["UnmatchedPurchase"];

type PlainGet = (path: string, init: object) => Promise<unknown>;

/** A route by its path, answered as the caller says. */
export function read<Answer>(
  api: BillhookClient,
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
  signal: AbortSignal,
): Promise<Answer> {
  const get = api.get as unknown as PlainGet;
  return get(path, { params: { query }, signal }) as Promise<Answer>;
}

/** The one row of a list with this id, where no route reads one; null: there is none. */
export async function readOne<Row extends { id: string }>(
  api: BillhookClient,
  path: string,
  { id, ...query }: { id: string } & Record<string, string>,
  signal: AbortSignal,
): Promise<Row | null> {
  const { data } = await read<Page<Row>>(api, path, { ...query, text: id, limit: 1 }, signal);
  return data.find((row) => row.id === id) ?? null;
}

export interface SeriesPoint {
  at: string;
  [figure: string]: string | number;
}

export interface Series {
  range: "hour" | "day" | "month";
  step_seconds: number;
  as_of: string | null;
  stripe_events: SeriesPoint[];
  revenue: { currency: string; points: SeriesPoint[] }[];
  credits: SeriesPoint[];
}

export type TimelineKind = "stripe_event" | "event" | "delivery" | "credit_entry" | "purchase" | "mail";

export interface TimelineItem {
  at: string;
  kind: TimelineKind;
  id: string;
  title: string;
  status: string | null;
  outcome: string | null;
  amount: number | null;
  currency: string | null;
  credits: number | null;
  balance_after: number | null;
  livemode: boolean;
  tenant_id: string | null;
  account_id: string | null;
  stripe_account: string | null;
  object_type: string | null;
  object_id: string | null;
  links: { kind: string; id: string }[];
}

export interface ImportRun {
  livemode: boolean;
  account: string | null;
  object_type: string;
  running: boolean;
  complete_since: string | null;
  complete_as_of: string | null;
  objects: number;
  pages: number;
  last_error: string | null;
  updated_at: string;
}

export interface CatchUp {
  livemode: boolean;
  account: string | null;
  covered_since: string | null;
  covered_until: string;
  missed_since: string | null;
  missed_until: string | null;
  running: boolean;
  events: number;
  new_events: number;
  skipped: number;
  last_error: string | null;
  last_run_at: string | null;
  next_run_at: string | null;
}

export interface ScheduledRun {
  name: string;
  every_seconds: number;
  last_started_at: string | null;
  last_ended_at: string | null;
  next_run_at: string | null;
  outcome: "done" | "failed" | null;
  error: string | null;
  runs: number;
  failures: number;
}

export interface BackgroundWork {
  imports: ImportRun[];
  catch_ups: CatchUp[];
  scheduled: ScheduledRun[];
}

export type Severity = "error" | "warning" | "notice" | "ok";

export interface Finding {
  code: string;
  severity: Severity;
  subject: string | null;
  title: string;
  cause: string;
  mend: string;
  details?: Record<string, unknown>;
}

export interface DoctorReport {
  checked_at: string;
  severity: Severity;
  findings: Finding[];
  checks: { code: string; title: string; outcome: "ok" | "found" | "failed" | "skipped" }[];
}
