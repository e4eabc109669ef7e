// Where a tenant wants to be told of events: its endpoints. Table: webhook_endpoints
import { textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { PreviousSecret, SealedSecrets } from "./endpoint-secrets.ts";

/** none: whenever · per_object: an event of an object waits until the older one of that object has ended */
export const ORDERINGS = ["none", "per_object"] as const;
export type Ordering = (typeof ORDERINGS)[number];

export const ENDPOINT_STATUSES = ["enabled", "disabled"] as const;
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

/** by_tenant: a person or key did it · gone: the receiver answered 410 · failing: nothing was delivered for days */
export const DISABLED_REASONS = ["by_tenant", "gone", "failing"] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** Of so long without one delivery an endpoint is disabled. */
export const FAILING_DAYS = 5;
/** After so long without an attempt nothing is known: the next failure is the first one. Longer than between two attempts. */
const SILENT_DAYS = 2;

export interface EndpointKey {
  tenantId: string;
  id: string;
}

/** What may be changed. */
export interface EndpointState {
  /** Null: none yet, and nothing is delivered. */
  url: string | null;
  description: string | null;
  /** Patterns: see `matchesPattern`. */
  enabledEvents: string[];
  /** The mode whose events it takes; null: both. */
  livemode: boolean | null;
  ordering: Ordering;
  status: EndpointStatus;
  disabledReason: DisabledReason | null;
  disabledAt: Date | null;
  /** Since when every attempt has failed; null: the last one was answered 2xx, or there was none. */
  failingSince: Date | null;
  secretSealed: string;
  /** The newest first; also those whose grace has ended. */
  previousSecrets: PreviousSecret[];
  ed25519Sealed: string | null;
}

export interface Endpoint extends EndpointKey, EndpointState {
  /** The one of the single-endpoint view. */
  first: boolean;
  createdAt: Date;
  updatedAt: Date;
}

export type NewEndpoint = EndpointKey & { first: boolean } & Pick<
    EndpointState,
    "url" | "description" | "enabledEvents" | "livemode" | "ordering" | "secretSealed" | "ed25519Sealed"
  >;

/** undefined: there is one with this id, or a first one already. */
export async function insertEndpoint(tx: Queryable, endpoint: NewEndpoint): Promise<Endpoint | undefined> {
  const { tenantId, id, first, url, description, enabledEvents, livemode, ordering } = endpoint;
  const values = [
    ...[tenantId, id, first, url, description, textArray(enabledEvents), livemode, ordering],
    ...[endpoint.secretSealed, endpoint.ed25519Sealed],
  ];
  return (await tx.query<Endpoint>({ text: INSERT, values })).rows[0];
}

export async function findEndpoint(tx: Queryable, { tenantId, id }: EndpointKey): Promise<Endpoint | undefined> {
  return (await tx.query<Endpoint>({ text: `${SELECT} and id = $2`, values: [tenantId, id] })).rows[0];
}

/** Nobody else changes it until the transaction ends. */
export async function lockEndpoint(tx: Queryable, { tenantId, id }: EndpointKey): Promise<Endpoint | undefined> {
  return (await tx.query<Endpoint>({ text: `${SELECT} and id = $2 for update`, values: [tenantId, id] })).rows[0];
}

/** The tenant's first endpoint; undefined: it was never made. */
export async function firstEndpoint(tx: Queryable, tenantId: string): Promise<Endpoint | undefined> {
  return (await tx.query<Endpoint>({ text: `${SELECT} and first`, values: [tenantId] })).rows[0];
}

export interface EndpointFilter {
  tenantId: string;
  /** Those that take this mode's events; undefined: all. */
  livemode?: boolean | undefined;
  /** The id that the page before ended with. */
  after?: string | undefined;
  limit: number;
}

/** Newest first: our ids sort by time. */
export async function listEndpoints(
  tx: Queryable,
  { tenantId, livemode, after, limit }: EndpointFilter,
): Promise<Endpoint[]> {
  const values = [tenantId, livemode ?? null, after ?? null, limit];
  return (await tx.query<Endpoint>({ text: LIST, values })).rows;
}

export async function countEndpoints(tx: Queryable, tenantId: string): Promise<number> {
  const { rows } = await tx.query<{ count: number }>({ text: COUNT, values: [tenantId] });
  return rows[0]?.count ?? 0;
}

/** Of two requests that make endpoints for one tenant the second waits, so that both are counted. */
export async function makeOneAtATime(tx: Queryable, tenantId: string): Promise<void> {
  await tx.query({ text: ONE_AT_A_TIME, values: [`billhook endpoints ${tenantId}`] });
}

/** Writes a locked endpoint's new state. */
export async function updateEndpoint(tx: Queryable, endpoint: Endpoint): Promise<Endpoint> {
  const { tenantId, id, url, description, enabledEvents, livemode, ordering, status } = endpoint;
  const values = [
    ...[tenantId, id, url, description, textArray(enabledEvents), livemode, ordering, status],
    ...[endpoint.disabledReason, endpoint.disabledAt, endpoint.failingSince, endpoint.secretSealed],
    ...[JSON.stringify(endpoint.previousSecrets), endpoint.ed25519Sealed],
  ];
  const { rows } = await tx.query<Endpoint>({ text: UPDATE, values });
  const [updated] = rows;
  if (updated === undefined) throw new Error(`the endpoint ${id} is gone: it was not locked`);
  return updated;
}

export async function removeEndpoint(tx: Queryable, { tenantId, id }: EndpointKey): Promise<void> {
  await tx.query({ text: "delete from webhook_endpoints where tenant_id = $1 and id = $2", values: [tenantId, id] });
}

/** What a delivery needs of its endpoint. */
export interface DeliverySettings extends SealedSecrets {
  id: string;
  /** Null, or `status` is disabled: nothing may be delivered. */
  url: string | null;
  ordering: Ordering;
  status: EndpointStatus;
  /** The mode whose events it takes; null: both. */
  livemode: boolean | null;
  /** Its latest attempts have failed. */
  failing: boolean;
  companyName: string;
}

/** Whether events of this mode are delivered there; which types, its patterns say. */
export function takesMode<To extends Pick<DeliverySettings, "url" | "status" | "livemode">>(
  endpoint: To,
  livemode: boolean,
): endpoint is To & { url: string } {
  return endpoint.status === "enabled" && endpoint.url !== null && (endpoint.livemode ?? livemode) === livemode;
}

/** Of these endpoints, of whatever tenants; one that was deleted is left out. Secrets are opened by `openSecrets`. */
export async function deliverySettings(tx: Queryable, endpointIds: readonly string[]): Promise<DeliverySettings[]> {
  if (endpointIds.length === 0) return [];
  const values = [textArray(endpointIds)];
  return (await tx.query<DeliverySettings>({ name: "delivery_settings", text: SETTINGS, values })).rows;
}

export interface DeliveryOutcome {
  tenantId: string;
  endpointId: string;
  /** When the attempt failed; null: it was answered 2xx. */
  failedAt: Date | null;
  /** Where it was sent: it says nothing of an endpoint that has moved meanwhile. Undefined: wherever that is. */
  url?: string;
}

/**
 * Notes since when endpoints have been failing, without a silence of SILENT_DAYS; of several outcomes of one endpoint a delivery wins, else the first failure
 * counts. Writes nothing where nothing changes, and that one still fails once an hour.
 *
 * @returns those that are enabled and have failed for FAILING_DAYS now
 */
export async function noteOutcomes(tx: Queryable, outcomes: readonly DeliveryOutcome[]): Promise<EndpointKey[]> {
  if (outcomes.length === 0) return [];
  const merged = mergedOutcomes(outcomes);
  const values = [
    textArray(merged.map(({ tenantId }) => tenantId)),
    textArray(merged.map(({ endpointId }) => endpointId)),
    textArray(merged.map(({ failedAt }) => failedAt?.toISOString())),
    textArray(merged.map(({ url }) => url)),
  ];
  const noted = tx.query({ name: "note_outcomes", text: NOTE, values: [...values, SILENT_DAYS] });
  if (merged.every(({ failedAt }) => failedAt === null)) {
    await noted;
    return [];
  }
  const failing = tx.query<EndpointKey>({
    name: "failing_endpoints",
    text: FAILING,
    values: [...values, FAILING_DAYS],
  });
  const [, { rows }] = await Promise.all([noted, failing]);
  return rows;
}

/** One for each endpoint and place, sorted, so that two workers never wait for each other crosswise. */
function mergedOutcomes(outcomes: readonly DeliveryOutcome[]): DeliveryOutcome[] {
  const byEndpoint = new Map<string, DeliveryOutcome>();
  for (const outcome of outcomes) {
    const key = `${outcome.tenantId}|${outcome.endpointId}|${outcome.url ?? ""}`;
    const known = byEndpoint.get(key);
    if (known === undefined || outranks(outcome, known)) byEndpoint.set(key, outcome);
  }
  return [...byEndpoint].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, outcome]) => outcome);
}

function outranks({ failedAt }: DeliveryOutcome, known: DeliveryOutcome): boolean {
  if (failedAt === null || known.failedAt === null) return failedAt === null;
  return failedAt < known.failedAt;
}

const COLUMNS = `
  tenant_id as "tenantId", id, livemode, first, url, description, enabled_events as "enabledEvents", ordering, status,
  disabled_reason as "disabledReason", disabled_at as "disabledAt", failing_since as "failingSince",
  secret_sealed as "secretSealed", previous_secrets as "previousSecrets", ed25519_sealed as "ed25519Sealed",
  created_at as "createdAt", updated_at as "updatedAt"`;

const SELECT = `select ${COLUMNS} from webhook_endpoints where tenant_id = $1`;

const INSERT = `
  insert into webhook_endpoints (tenant_id, id, first, url, description, enabled_events, livemode, ordering, secret_sealed,
    ed25519_sealed)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  on conflict do nothing returning ${COLUMNS}`;

const LIST = `
  ${SELECT} and ($2::boolean is null or livemode is null or livemode = $2) and ($3::text is null or id < $3)
  order by id desc limit $4`;

const COUNT = "select count(*) as count from webhook_endpoints where tenant_id = $1";
const ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended($1, 0))";

const UPDATE = `
  update webhook_endpoints
  set url = $3, description = $4, enabled_events = $5, livemode = $6, ordering = $7, status = $8, disabled_reason = $9,
      disabled_at = $10, failing_since = $11, secret_sealed = $12, previous_secrets = $13::jsonb, ed25519_sealed = $14,
      updated_at = now()
  where tenant_id = $1 and id = $2 returning ${COLUMNS}`;

const SETTINGS = `
  select endpoint.id, endpoint.tenant_id as "tenantId", livemode, url, ordering, status,
         failing_since is not null as failing, secret_sealed as "secretSealed",
         previous_secrets as "previousSecrets", ed25519_sealed as "ed25519Sealed", tenant.company_name as "companyName"
  from webhook_endpoints as endpoint join tenants as tenant on tenant.id = endpoint.tenant_id
  where endpoint.id = any ($1::text[])`;

const OUTCOMES = `
  unnest($1::text[], $2::text[], $3::text[], $4::text[]) as outcome (tenant_id, id, failed_at, url)`;
const OF_OUTCOME = `
  endpoint.tenant_id = outcome.tenant_id and endpoint.id = outcome.id and coalesce(outcome.url, endpoint.url) = endpoint.url`;

const NOTE = `
  with changed as (
    select endpoint.tenant_id, endpoint.id, outcome.at,
           case when endpoint.failing_since is null or known.silent then outcome.at else endpoint.failing_since end as since
    from (select tenant_id, id, failed_at::timestamptz as at, url from ${OUTCOMES}) as outcome
    join webhook_endpoints as endpoint on ${OF_OUTCOME}
    cross join lateral (select coalesce(endpoint.last_failed_at, endpoint.failing_since) as last_failed_at) as noted
    cross join lateral (select noted.last_failed_at < outcome.at - $5::int * interval '1 day' as silent) as known
    where (endpoint.failing_since is null) <> (outcome.at is null)
       or noted.last_failed_at < outcome.at - interval '1 hour'
    order by endpoint.tenant_id, endpoint.id for update of endpoint
  )
  update webhook_endpoints as endpoint
  set failing_since = case when changed.at is not null then changed.since end, last_failed_at = changed.at
  from changed where endpoint.tenant_id = changed.tenant_id and endpoint.id = changed.id`;

const FAILING = `
  select endpoint.tenant_id as "tenantId", endpoint.id
  from ${OUTCOMES} join webhook_endpoints as endpoint on ${OF_OUTCOME}
  where endpoint.status = 'enabled' and endpoint.failing_since <= outcome.failed_at::timestamptz - $5::int * interval '1 day'
  order by endpoint.tenant_id, endpoint.id`;
