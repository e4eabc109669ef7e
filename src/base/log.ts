// The log as every room sees it: what a line may carry, and how an error is told without what must not be told. No I/O.

/** The units of work: each ends in exactly one line, with its ids, duration and outcome. */
export type UnitName =
  | "process.started"
  | "process.stopped"
  | "migration.applied"
  | "request.answered"
  | "event.received"
  | "event.processed"
  | "event.replayed"
  | "event.resent"
  | "batch.received"
  | "batch.processed"
  | "object.fetched"
  | "stripe.call_failed"
  | "rebuild.finished"
  | "ledger.verified"
  | "mail.attempted"
  | "delivery.attempted"
  | "connected_invoice.attempted"
  | "offer.synced"
  | "unmatched_purchase.resolved"
  | "status.pulled"
  | "events.caught_up"
  | "catch_up.finished"
  | "objects.imported"
  | "import.finished"
  | "backup.finished"
  | "move.read"
  | "drift.checked"
  | "dashboard.built";

type FieldKind = "id" | "number" | "flag" | "text";

/**
 * Every field that a line may carry; any other is dropped, so that a body, a secret or a person's name cannot get in by
 * accident. `id` is for ids and words of a fixed set, `text` for sentences of ours, which are scrubbed.
 */
const LOG_FIELDS = {
  // Which
  request_id: "id",
  node: "id",
  tenant: "id",
  stripe_event: "id",
  stripe_account: "id",
  stripe_request: "id",
  event_type: "id",
  event: "id",
  endpoint: "id",
  object: "id",
  object_id: "id",
  source: "id",
  api_version: "id",
  livemode: "flag",
  // How it went
  outcome: "id",
  code: "id",
  stripe_code: "id",
  decline_code: "id",
  duration_ms: "number",
  lag_ms: "number",
  attempt: "number",
  max_attempts: "number",
  retry_in_ms: "number",
  // HTTP: the route's pattern, never the address with its ids and query
  method: "id",
  route: "id",
  status: "number",
  // How much
  bytes: "number",
  count: "number",
  events: "number",
  objects: "number",
  facts: "number",
  duplicates: "number",
  skipped: "number",
  ignored: "number",
  unrouted: "number",
  failed: "number",
  differences: "number",
  waiting: "number",
  statements: "number",
  // Start and stop
  version: "id",
  environment: "id",
  database: "id",
  database_version: "id",
  roles: "id",
  port: "number",
  migration: "id",
  variable: "id",
  signal: "id",
  reason: "text",
  hint: "text",
} as const satisfies Record<string, FieldKind>;

interface FieldTypes {
  id: string;
  number: number;
  flag: boolean;
  text: string;
}

export type LogFields = {
  [Field in keyof typeof LOG_FIELDS]?: FieldTypes[(typeof LOG_FIELDS)[Field]] | null | undefined;
} & {
  /** Told by `describeError`. */
  error?: unknown;
};

export interface Log {
  /** The one line of a unit of work: level `error` when it carries an error, else `info`. */
  unit(name: UnitName, fields: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too. */
  with(fields: LogFields): Log;
}

/** For tests and tools that tell nothing. */
export const silentLog: Log = {
  unit: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
};

/**
 * Censored by pino too, should one of these ever become a field. Top level only: what is written is flat, and 17 wildcard
 * paths made a line cost 50 µs instead of 8.
 */
export const REDACTED_FIELDS = [
  "authorization",
  "body",
  "card",
  "client_secret",
  "cookie",
  "data",
  "email",
  "headers",
  "ip",
  "name",
  "password",
  "payload",
  "phone",
  "query",
  "secret",
  "signature",
  "token",
];

const KINDS = new Map<string, FieldKind>(Object.entries(LOG_FIELDS));
const LONGEST_ID = 255;
const LONGEST_TEXT = 500;

/** The fields as they are written: listed ones of the listed kind, ids cut at 255 characters, text scrubbed. */
export function writtenFields(fields: LogFields): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (field === "error") written.error = describeError(value);
    else if (KINDS.has(field)) written[field] = writtenValue(KINDS.get(field), value);
  }
  return written;
}

function writtenValue(kind: FieldKind | undefined, value: unknown): unknown {
  if (value === null) return null;
  if (kind === "number" || kind === "flag")
    return typeof value === (kind === "flag" ? "boolean" : kind) ? value : "[wrong type]";
  if (typeof value !== "string") return "[wrong type]";
  return kind === "text" ? scrub(value) : value.slice(0, LONGEST_ID);
}

export interface DescribedError {
  type: string;
  message: string;
  /** SQLSTATE, errno or our own code. */
  code?: string;
  /** Where it was thrown, without the message. */
  stack?: string;
  cause?: DescribedError;
}

const DEEPEST_CAUSE = 3;

/**
 * An error as the log and a span may tell it: no field but these is read, so that `pg`'s detail, query and parameters and
 * Stripe's raw body stay out, and the message is scrubbed.
 */
export function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error))
    return {
      type: typeof error,
      message: scrub(typeof error === "string" ? error : "something that is no Error was thrown"),
    };
  const code = "code" in error && typeof error.code === "string" ? error.code.slice(0, LONGEST_ID) : undefined;
  const stack = error.stack
    ?.split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
  return {
    type: error.name,
    message: scrub(messageOf(error, code)),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined || stack === "" ? {} : { stack }),
    ...(error.cause === undefined || depth === DEEPEST_CAUSE ? {} : { cause: describeError(error.cause, depth + 1) }),
  };
}

/** SQLSTATE class 22 and JSON.parse quote the value that they could not read, which is part of somebody's body. */
function messageOf(error: Error, code: string | undefined): string {
  // Node's failed connects are an AggregateError without a message of its own.
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((inner: unknown) => (inner instanceof Error ? inner.message : "")).join("; ");
  }
  const quotesInput = error instanceof SyntaxError || (code !== undefined && /^22[0-9A-Z]{3}$/.test(code));
  return quotesInput ? error.message.replace(/".*"/s, '"…"') : error.message;
}

const SCRUBBED: readonly (readonly [RegExp, string])[] = [
  [/:\/\/[^\s/@]*@/g, "://[secret]@"],
  [/\bbearer\s+\S+/gi, "Bearer [secret]"],
  [/(?<![A-Za-z0-9])(?:sk|rk|pk|whsec)_[\w+/=-]+/g, "[secret]"],
  [/_secret_\w+/g, "_secret_[secret]"],
  [/[^\s"'`<>()[\]=,;:@]+@[^\s"'`<>()[\]=,;:@]+/g, "[email]"],
  [/(?<!\w)\d(?:[ -]?\d){13,18}(?!\w)/g, "[number]"],
];

/** A sentence without what looks like a secret, an e-mail address or a card number, and not longer than 500 characters. */
export function scrub(text: string): string {
  let scrubbed = text.slice(0, 4 * LONGEST_TEXT);
  for (const [pattern, replacement] of SCRUBBED) scrubbed = scrubbed.replace(pattern, replacement);
  return scrubbed.length > LONGEST_TEXT ? `${scrubbed.slice(0, LONGEST_TEXT)}…` : scrubbed;
}
