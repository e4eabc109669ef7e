// Accounts as rows: the customers of a tenant, in one mode. Table: accounts
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { OwnSide, Standing } from "./account-status.ts";

export type AccountStatus = "trial" | "active" | "past_due" | "unpaid" | "paused" | "canceled";

export type Metadata = Record<string, string>;

export interface Account {
  id: string;
  livemode: boolean;
  /** The tenant's own name for this customer. */
  externalId: string | null;
  email: string | null;
  name: string | null;
  metadata: Metadata;
  stripeCustomerId: string | null;
  /** On which Stripe account its customer is; "" for the platform's own. */
  stripeCustomerAccount: string;
  personId: string | null;
  isTrialUser: boolean;
  status: AccountStatus;
  /** The one that status, period and trial are of; null: there is none that counts. */
  subscriptionId: string | null;
  periodEnd: Date | null;
  trialEnd: Date | null;
  paymentMethod: PaymentMethod | null;
  createdAt: Date;
}

export interface PaymentMethod {
  id: string;
  type: string | null;
  brand: string | null;
  last4: string | null;
  expMonth: number | null;
  expYear: number | null;
}

export interface TenantMode {
  tenantId: string;
  livemode: boolean;
}

/** What a tenant says of its customer. */
export interface Profile {
  externalId: string | null;
  email: string | null;
  name: string | null;
  metadata: Metadata;
}

/**
 * Undefined: another account has this external id, or was made by this operation. `personId`: of the platform's accounts
 * only. `operationId`: the same for each run of one request.
 */
export async function insertAccount(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  account: Profile & { id: string; personId?: string | null; operationId?: string | null },
): Promise<Account | undefined> {
  const { id, externalId, email, name, metadata, personId = null, operationId = null } = account;
  const values = [tenantId, livemode, id, externalId, email, name, JSON.stringify(metadata), personId, operationId];
  const { rows } = await tx.query<AccountRow>({ text: INSERT, values });
  return rows.map(accountOf)[0];
}

/** What an earlier run of the same request made. */
export async function findByOperation(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  operationId: string,
): Promise<Account | undefined> {
  return (await tx.query<AccountRow>({ text: BY_OPERATION, values: [tenantId, livemode, operationId] })).rows.map(
    accountOf,
  )[0];
}

/** The account of a person who signs in. */
export async function findByPerson(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  personId: string,
): Promise<Account | undefined> {
  return (await tx.query<AccountRow>({ text: BY_PERSON, values: [tenantId, livemode, personId] })).rows.map(
    accountOf,
  )[0];
}

/** Whether any account has this address, in whatever case it was typed. */
export async function isAddressKnown(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  email: string,
): Promise<boolean> {
  return (await listAccounts(tx, { tenantId, livemode }, { email, limit: 0 })).length > 0;
}

/** The account whose customer this is, on that Stripe account. */
export async function findByCustomer(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  { stripeAccount, customerId }: { stripeAccount: string; customerId: string },
): Promise<Account | undefined> {
  const values = [tenantId, livemode, stripeAccount, customerId];
  return (await tx.query<AccountRow>({ text: BY_CUSTOMER, values })).rows.map(accountOf)[0];
}

/**
 * Makes a Stripe customer the account's, in place of the one that it had when it was looked at (null: none). Returns the
 * account's customer now, which is another one when somebody was faster or it is another account's.
 */
export async function recordCustomer(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  id: string,
  { stripeAccount, customerId, instead }: { stripeAccount: string; customerId: string; instead: string | null },
): Promise<string | null> {
  await tx.query({ text: RECORD_CUSTOMER, values: [tenantId, livemode, id, stripeAccount, customerId, instead] });
  const account = await readAccount(tx, { tenantId, livemode }, id);
  return account?.stripeCustomerAccount === stripeAccount ? account.stripeCustomerId : null;
}

export async function readAccount(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  id: string,
): Promise<Account | undefined> {
  return (await tx.query<AccountRow>({ text: READ, values: [tenantId, livemode, id] })).rows.map(accountOf)[0];
}

/** Until the transaction ends: for what may be done once for an account. */
export async function lockAccount(tx: Queryable, { tenantId, livemode, accountId }: AccountKey): Promise<void> {
  await tx.query({ text: LOCK_ONE, values: [tenantId, livemode, accountId] });
}

/** What is not named stays as it is. Undefined: there is no such account. Throws a unique violation for a taken external id. */
export async function updateProfile(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  id: string,
  changes: Partial<Profile>,
): Promise<Account | undefined> {
  const { externalId, email, name, metadata } = changes;
  const values = [
    ...[tenantId, livemode, id],
    ...[externalId !== undefined, externalId ?? null, email !== undefined, email ?? null],
    ...[name !== undefined, name ?? null, metadata === undefined ? null : JSON.stringify(metadata)],
  ];
  return (await tx.query<AccountRow>({ text: UPDATE, values })).rows.map(accountOf)[0];
}

/** Whether this is the violation of an external id that another account has. */
export function isExternalIdTaken(error: unknown): boolean {
  return error instanceof Error && "constraint" in error && error.constraint === "accounts_external_id";
}

export interface AccountFilter {
  externalId?: string | undefined;
  email?: string | undefined;
  status?: AccountStatus | undefined;
  limit: number;
  /** The id that the page before ended with. */
  after?: string | undefined;
}

/** Newest first; one more than `limit` where there is one. */
export async function listAccounts(
  tx: Queryable,
  { tenantId, livemode }: TenantMode,
  { externalId, email, status, limit, after }: AccountFilter,
): Promise<Account[]> {
  const filters = [externalId ?? null, email ?? null, status ?? null];
  const values = [tenantId, livemode, ...filters, after ?? null, limit + 1];
  return (await tx.query<AccountRow>({ text: LIST, values })).rows.map(accountOf);
}

/** After a purchase: they are customers now. Called under the locks of their balances. */
export async function endTrials(
  tx: Queryable,
  accounts: readonly (TenantMode & { accountId: string })[],
): Promise<void> {
  if (accounts.length === 0) return;
  const values = [
    textArray(accounts.map((one) => one.tenantId)),
    booleanArray(accounts.map((one) => one.livemode)),
    textArray(accounts.map((one) => one.accountId)),
  ];
  await tx.query({ text: END_TRIALS, values });
}

export interface AccountKey extends TenantMode {
  accountId: string;
}

export interface LockedAccount extends AccountKey, OwnSide {
  /** "" for the platform's own. */
  stripeAccount: string;
}

/** Takes the locks of these accounts, sorted, and says what of them is told here. */
export async function lockAccounts(tx: Queryable, accounts: readonly AccountKey[]): Promise<LockedAccount[]> {
  if (accounts.length === 0) return [];
  return (await tx.query<LockedAccount>({ name: "lock_accounts", text: LOCK, values: keyArrays(accounts) })).rows;
}

/** What follows from Stripe's objects. Times are Unix seconds. Returns those that changed. */
export async function writeStandings(
  tx: Queryable,
  standings: readonly (AccountKey & Standing)[],
): Promise<AccountKey[]> {
  if (standings.length === 0) return [];
  const method = (read: (method: PaymentMethod) => string | null): Buffer =>
    textArray(standings.map(({ paymentMethod }) => (paymentMethod === null ? null : read(paymentMethod))));
  const number = (read: (one: Standing) => number | null | undefined): Buffer => bigintArray(standings.map(read));
  const values = [
    ...keyArrays(standings),
    ...[textArray(standings.map(({ status }) => status)), textArray(standings.map((one) => one.subscriptionId))],
    ...[number(({ periodEnd }) => periodEnd), number(({ trialEnd }) => trialEnd)],
    ...[textArray(standings.map(({ email }) => email)), textArray(standings.map(({ name }) => name))],
    ...[method(({ id }) => id), method(({ type }) => type), method(({ brand }) => brand), method(({ last4 }) => last4)],
    ...[number((one) => one.paymentMethod?.expMonth), number((one) => one.paymentMethod?.expYear)],
  ];
  return (await tx.query<AccountKey>({ name: "write_standings", text: WRITE_STANDINGS, values })).rows;
}

function keyArrays(accounts: readonly AccountKey[]): Buffer[] {
  return [
    textArray(accounts.map((one) => one.tenantId)),
    booleanArray(accounts.map((one) => one.livemode)),
    textArray(accounts.map((one) => one.accountId)),
  ];
}

type AccountRow = Omit<Account, "paymentMethod"> & {
  methodId: string | null;
  methodType: string | null;
  methodBrand: string | null;
  methodLast4: string | null;
  methodExpMonth: number | null;
  methodExpYear: number | null;
};

function accountOf(row: AccountRow): Account {
  const { methodId, methodType, methodBrand, methodLast4, methodExpMonth, methodExpYear, ...rest } = row;
  const details = { type: methodType, brand: methodBrand, last4: methodLast4 };
  const paymentMethod =
    methodId === null ? null : { id: methodId, ...details, expMonth: methodExpMonth, expYear: methodExpYear };
  return { ...rest, paymentMethod };
}

const COLUMNS = `
  id, livemode, external_id as "externalId", email, name, metadata, stripe_customer_id as "stripeCustomerId",
  stripe_customer_account as "stripeCustomerAccount",
  person_id as "personId", is_trial_user as "isTrialUser", status, subscription_id as "subscriptionId", period_end as "periodEnd", trial_end as "trialEnd",
  default_payment_method_id as "methodId", default_payment_method_type as "methodType",
  default_payment_method_brand as "methodBrand", default_payment_method_last4 as "methodLast4",
  default_payment_method_exp_month as "methodExpMonth", default_payment_method_exp_year as "methodExpYear",
  created_at as "createdAt"`;

const INSERT = `
  insert into accounts (tenant_id, livemode, id, external_id, email, name, metadata, person_id, operation_id, own_email, own_name)
  values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $5, $6)
  on conflict do nothing
  returning ${COLUMNS}`;

const READ = `select ${COLUMNS} from accounts where tenant_id = $1 and livemode = $2 and id = $3`;

const LOCK_ONE = "select from accounts where tenant_id = $1 and livemode = $2 and id = $3 for no key update";

const BY_OPERATION = `select ${COLUMNS} from accounts where tenant_id = $1 and livemode = $2 and operation_id = $3`;

const BY_PERSON = `select ${COLUMNS} from accounts where tenant_id = $1 and livemode = $2 and person_id = $3`;

const BY_CUSTOMER = `
  select ${COLUMNS} from accounts
  where tenant_id = $1 and livemode = $2 and stripe_customer_account = $3 and stripe_customer_id = $4`;

const RECORD_CUSTOMER = `
  update accounts set stripe_customer_id = $5, stripe_customer_account = $4, updated_at = now()
  where tenant_id = $1 and livemode = $2 and id = $3 and stripe_customer_id is not distinct from $6::text
    and not exists (
      select from accounts as other where other.tenant_id = $1 and other.livemode = $2 and other.stripe_customer_id = $5)`;

const SAID = `from customers as said
  where said.livemode = accounts.livemode and said.stripe_account = accounts.stripe_customer_account and said.id = accounts.stripe_customer_id`;

// What the customer at Stripe says by now is settled by this: only another word of it counts from here on.
const UPDATE = `
  update accounts
  set external_id = case when $4 then $5 else external_id end, email = case when $6 then $7 else email end,
      own_email = case when $6 then $7 else own_email end,
      settled_email = case when $6 then (select said.email ${SAID}) else settled_email end,
      name = case when $8 then $9 else name end, own_name = case when $8 then $9 else own_name end,
      settled_name = case when $8 then (select said.name ${SAID}) else settled_name end,
      metadata = coalesce($10::jsonb, metadata), updated_at = now()
  where tenant_id = $1 and livemode = $2 and id = $3
  returning ${COLUMNS}`;

const LIST = `
  select ${COLUMNS} from accounts
  where tenant_id = $1 and livemode = $2 and ($3::text is null or external_id = $3)
    and ($4::text is null or lower(email) = lower($4)) and ($5::text is null or status = $5)
    and ($6::text is null or id < $6)
  order by id desc limit $7`;

const END_TRIALS = `
  update accounts as stored
  set is_trial_user = false, updated_at = now(),
      status = case when stored.status = 'trial' and stored.subscription_id is null then 'active' else stored.status end
  from unnest($1::text[], $2::boolean[], $3::text[]) as bought (tenant_id, livemode, id)
  where stored.tenant_id = bought.tenant_id and stored.livemode = bought.livemode and stored.id = bought.id
    and stored.is_trial_user`;

// Sorted first, then each by index, whatever the plan's age: `limit 1`.
const LOCK = `
  select stored.tenant_id as "tenantId", stored.livemode, stored.id as "accountId", stored.is_trial_user as "isTrialUser",
         stored.stripe_customer_id as "customerId", stored.stripe_customer_account as "stripeAccount",
         stored.own_email as "ownEmail", stored.own_name as "ownName", stored.settled_email as "settledEmail",
         stored.settled_name as "settledName"
  from (
    select distinct tenant_id collate "C" as tenant_id, livemode, id collate "C" as id
    from unnest($1::text[], $2::boolean[], $3::text[]) as named (tenant_id, livemode, id)
    order by 1, 2, 3) as wanted
  cross join lateral (
    select * from accounts as stored
    where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode and stored.id = wanted.id
    limit 1 for update) as stored`;

const WRITE_STANDINGS = `
  update accounts as stored
  set status = found.status, subscription_id = found.subscription_id, period_end = to_timestamp(found.period_end),
      trial_end = to_timestamp(found.trial_end), email = found.email, name = found.name,
      default_payment_method_id = found.method_id, default_payment_method_type = found.method_type,
      default_payment_method_brand = found.method_brand, default_payment_method_last4 = found.method_last4,
      default_payment_method_exp_month = found.exp_month, default_payment_method_exp_year = found.exp_year, updated_at = now()
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
              $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::bigint[])
    as found (tenant_id, livemode, id, status, subscription_id, period_end, trial_end, email, name, method_id, method_type,
              method_brand, method_last4, exp_month, exp_year)
  where stored.tenant_id = found.tenant_id and stored.livemode = found.livemode and stored.id = found.id
    and (stored.status, stored.subscription_id, stored.period_end, stored.trial_end, stored.email, stored.name,
         stored.default_payment_method_id, stored.default_payment_method_type, stored.default_payment_method_brand,
         stored.default_payment_method_last4, stored.default_payment_method_exp_month, stored.default_payment_method_exp_year)
        is distinct from
        (found.status, found.subscription_id, to_timestamp(found.period_end), to_timestamp(found.trial_end), found.email,
         found.name, found.method_id, found.method_type, found.method_brand, found.method_last4, found.exp_month, found.exp_year)
  returning stored.tenant_id as "tenantId", stored.livemode, stored.id as "accountId"`;
