// Who may ask for the status of which Stripe object: recorded when Stripe has told us its id. Table: status_grants
import { publicError } from "../base/errors.ts";
import type { Queryable } from "../db/database.ts";

/** The kinds whose status can be asked for, by how their ids begin. */
export const STATUS_OBJECTS = {
  cs: "checkout.session",
  pi: "payment_intent",
  seti: "setup_intent",
  sub: "subscription",
  in: "invoice",
} as const;

export type StatusObject = (typeof STATUS_OBJECTS)[keyof typeof STATUS_OBJECTS];

export interface StatusGrant {
  tenantId: string;
  livemode: boolean;
  /** "" for the platform's own account. */
  stripeAccount: string;
  /** Whose it is; null: only who has the `status_url` may ask. */
  accountId: string | null;
  /** A Stripe id that begins with cs_, pi_, seti_, sub_ or in_. */
  objectId: string;
}

/** Undefined: an id of no kind that has a status. */
export function statusObjectOf(objectId: string): StatusObject | undefined {
  const prefix = /^(cs|pi|seti|sub|in)_[\w-]+$/.exec(objectId)?.[1];
  return prefix === undefined ? undefined : STATUS_OBJECTS[prefix as keyof typeof STATUS_OBJECTS];
}

/**
 * Records that this account may ask for this object, in the transaction that records Stripe's answer. Recorded again it
 * stays one; an account that was not known is added. Throws a TypeError for an id of another kind.
 */
export async function recordStatusId(tx: Queryable, grant: StatusGrant): Promise<void> {
  const { tenantId, livemode, stripeAccount, accountId, objectId } = grant;
  if (statusObjectOf(objectId) === undefined) throw new TypeError("only cs_, pi_, seti_, sub_ and in_ have a status");
  await tx.query({
    name: "record_status_id",
    text: RECORD,
    values: [tenantId, objectId, livemode, stripeAccount, accountId],
  });
}

/** The grant that a `status_url` speaks of. Throws `not_found`. */
export async function readGrant(tx: Queryable, named: Omit<StatusGrant, "accountId">): Promise<StatusGrant> {
  const { tenantId, livemode, stripeAccount, objectId } = named;
  const values = [tenantId, objectId, livemode, stripeAccount];
  const { rows } = await tx.query<StatusGrant>({ name: "read_status_grant", text: READ, values });
  return found(rows);
}

/** The grant of one of these accounts of the tenant. Throws `not_found`. */
export async function readGrantOf(
  tx: Queryable,
  { tenantId, accountIds, objectId }: { tenantId: string; accountIds: readonly string[]; objectId: string },
): Promise<StatusGrant> {
  const values = [tenantId, objectId, accountIds];
  const { rows } = await tx.query<StatusGrant>({ name: "read_own_status_grant", text: READ_OWN, values });
  return found(rows);
}

function found([grant]: readonly StatusGrant[]): StatusGrant {
  if (grant === undefined) throw publicError("not_found");
  return grant;
}

/** How long a status can be asked for: nobody waits so long, and what is begun again is recorded again. */
const KEPT_DAYS = 90;
const PURGED_AT_ONCE = 1000;

/** Deletes what is older, a bounded number in each statement. */
export async function purgeStatusGrants(tx: Queryable): Promise<number> {
  for (let purged = 0; ;) {
    const { rowCount } = await tx.query({ text: PURGE, values: [KEPT_DAYS, PURGED_AT_ONCE] });
    purged += rowCount;
    if (rowCount < PURGED_AT_ONCE) return purged;
  }
}

const PURGE = `
  delete from status_grants
  where ctid = any (array(
    select ctid from status_grants where created_at < now() - make_interval(days => $1::int) order by created_at limit $2))`;

const RECORD = `
  insert into status_grants as stored (tenant_id, object_id, livemode, stripe_account, account_id) values ($1, $2, $3, $4, $5)
  on conflict (tenant_id, object_id, livemode, stripe_account) do update set account_id = excluded.account_id
  where stored.account_id is null and excluded.account_id is not null`;

const COLUMNS = `
  tenant_id as "tenantId", object_id as "objectId", livemode, stripe_account as "stripeAccount", account_id as "accountId"`;

const READ = `
  select ${COLUMNS} from status_grants
  where tenant_id = $1 and object_id = $2 and livemode = $3 and stripe_account = $4`;

const READ_OWN = `
  select ${COLUMNS} from status_grants
  where tenant_id = $1 and object_id = $2 and account_id = any ($3::text[])
  order by created_at desc limit 1`;
