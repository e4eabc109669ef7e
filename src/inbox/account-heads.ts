// What the projections and facts say of connected accounts: what their connections stand or fall by.
import type { AccountHead, AccountHeads, CapabilityHead } from "../connections/connect-status.ts";
import type { Connection } from "../connections/connection-table.ts";
import { type AccountInMode, accountKey } from "../connections/routing.ts";
import { settleConnections } from "../connections/settle-connections.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { StripeObject } from "../projections/observation.ts";
import { connectedAccount } from "../projections/connected-account.ts";

/** The types of what a connection stands or falls by. */
const STANDING_OBJECTS = new Set(["account", "capability", "application"]);

/**
 * Makes the connections stand as these objects say, asked after the rows and facts of those are written. It locks what has
 * the last place in the order of locks.
 */
export async function followConnections(
  tx: Queryable,
  objects: readonly (AccountInMode & { objectType: string | null })[],
): Promise<void> {
  const told = objects.filter(
    ({ account, objectType }) => account !== "" && objectType !== null && STANDING_OBJECTS.has(objectType),
  );
  await settleConnections(tx, told, (connections) => readAccountHeads(tx, connections));
}

/** The heads of these connections' accounts, by `accountKey`. */
export async function readAccountHeads(
  tx: Queryable,
  connections: readonly Connection[],
): Promise<Map<string, AccountHeads>> {
  const values = [
    booleanArray(connections.map((one) => one.livemode)),
    textArray(connections.map((one) => one.account)),
  ];
  const withTenants = [...values, textArray(connections.map((one) => one.tenantId))];
  const [accounts, capabilities, ends] = await Promise.all([
    tx.query<AccountRow>({ name: "account_heads", text: ACCOUNTS, values }),
    tx.query<CapabilityHead & AccountInMode>({ name: "capability_heads", text: CAPABILITIES, values }),
    tx.query<{ at: number } & AccountInMode>({ name: "deauthorizations", text: DEAUTHORIZED, values: withTenants }),
  ]);
  return new Map(
    connections.map((connection): [string, AccountHeads] => {
      const key = accountKey(connection);
      const own = (row: AccountInMode): boolean => accountKey(row) === key;
      const account = accounts.rows.find(own);
      const heads = {
        account: account === undefined ? undefined : headOf(account),
        capabilities: capabilities.rows.filter(own),
        deauthorized: ends.rows.filter(own).map(({ at }) => at),
      };
      return [key, heads];
    }),
  );
}

/** The same of an `account` that was fetched just now, as if it had been processed. */
export function fetchedAccountHead(object: StripeObject, asOf: number): AccountHead {
  const row = rowOf(object);
  return headOf({ ...row, head_created: asOf, deleted: object.deleted === true } as unknown as AccountColumns);
}

/** Of our copy of an account, what a status answer shows. */
export interface AccountDetails {
  email: string | null;
  business_type: string | null;
  country: string | null;
  default_currency: string | null;
  details_submitted: boolean | null;
  charges_enabled: boolean | null;
  payouts_enabled: boolean | null;
  disabled_reason: string | null;
  currently_due: unknown;
  eventually_due: unknown;
  past_due: unknown;
}

export interface StoredAccount extends AccountDetails {
  /** The second of the head. */
  created: number;
  /** The head's snapshot. */
  data: string;
}

/** Our copy of a connected account; undefined while nothing was observed. */
export async function readStoredAccount(
  tx: Queryable,
  { livemode, account }: AccountInMode,
): Promise<StoredAccount | undefined> {
  return (await tx.query<StoredAccount>({ text: STORED, values: [livemode, account] })).rows[0];
}

/** As our copy would have it. */
export function fetchedAccountDetails(object: StripeObject): AccountDetails {
  const row = rowOf(object);
  return Object.fromEntries(DETAILS.map((name) => [name, row[name] ?? null])) as unknown as AccountDetails;
}

/** Nothing of an account's row comes from anything but the object. */
function rowOf(object: StripeObject): ReturnType<typeof connectedAccount.row> {
  const observation = { id: "", source: "pull", type: "account.retrieved", created: 0, livemode: false } as const;
  const told = { account: "", apiVersion: null, objectType: "account", objectId: null };
  return connectedAccount.row(object, { ...observation, ...told, object });
}

interface AccountColumns {
  head_created: number;
  deleted: boolean;
  details_submitted: boolean | null;
  charges_enabled: boolean | null;
  payouts_enabled: boolean | null;
  disabled_reason: string | null;
  currently_due: unknown;
  past_due: unknown;
  capabilities: unknown;
}
type AccountRow = AccountColumns & AccountInMode;

function headOf(row: AccountColumns): AccountHead {
  return {
    created: row.head_created,
    deleted: row.deleted,
    detailsSubmitted: row.details_submitted ?? null,
    chargesEnabled: row.charges_enabled ?? null,
    payoutsEnabled: row.payouts_enabled ?? null,
    disabledReason: row.disabled_reason ?? null,
    currentlyDue: Array.isArray(row.currently_due) ? row.currently_due : [],
    pastDue: Array.isArray(row.past_due) ? row.past_due : [],
    capabilities: (row.capabilities ?? {}) as Record<string, unknown>,
  };
}

const DETAILS = [
  ...(["email", "business_type", "country", "default_currency", "details_submitted", "charges_enabled"] as const),
  ...(["payouts_enabled", "disabled_reason", "currently_due", "eventually_due", "past_due"] as const),
];

const WANTED = "unnest($1::boolean[], $2::text[]) as wanted (livemode, stripe_account)";
// `limit 1` makes it a look-up by primary key, whatever the table's size was when the plan was made.
const ACCOUNTS = `
  select wanted.livemode, wanted.stripe_account as account, head.*
  from ${WANTED}
  cross join lateral (
    select head_created, deleted, details_submitted, charges_enabled, payouts_enabled, disabled_reason, currently_due,
           past_due, capabilities
    from connected_accounts as stored
    where stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account
      and stored.id = wanted.stripe_account
    limit 1) as head`;
const CAPABILITIES = `
  select wanted.livemode, wanted.stripe_account as account, stored.id, stored.status, stored.head_created as created
  from ${WANTED}
  join capabilities as stored on stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account
  where not stored.deleted`;
// The fact of each deauthorisation stays whatever came after it; the newest word is there before the facts have a tenant.
const DEAUTHORIZED = `
  select wanted.livemode, wanted.stripe_account as account, extract(epoch from fact.occurred_at)::float8 as at
  from unnest($1::boolean[], $2::text[], $3::text[]) as wanted (livemode, stripe_account, tenant_id)
  join facts as fact
    on fact.tenant_id = wanted.tenant_id and fact.livemode = wanted.livemode
   and fact.type = 'connected_account.deauthorized'
   and fact.natural_key >= wanted.stripe_account || ':' and fact.natural_key < wanted.stripe_account || ';'
  union
  select wanted.livemode, wanted.stripe_account, head.head_created::float8
  from ${WANTED}
  join account_authorizations as head
    on head.livemode = wanted.livemode and head.stripe_account = wanted.stripe_account and head.authorized = false`;
const STORED = `
  select head_created as created, data, ${DETAILS.join(", ")}
  from connected_accounts where livemode = $1 and stripe_account = $2 and id = $2`;
