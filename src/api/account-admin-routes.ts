// Routes of a tenant's accounts, for the tenant's own server: list, create, retrieve, update.
import { z } from "zod";

import {
  type Account,
  isExternalIdTaken,
  listAccounts,
  type PaymentMethod,
  type TenantMode,
  updateProfile,
} from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { openAccount } from "../billing/open-account.ts";
import { MAX_AMOUNT } from "../credits/credit-requests.ts";
import type { Balance } from "../credits/ledger-reads.ts";
import { readBalances } from "../credits/ledger-reads.ts";
import { setLowThreshold } from "../credits/ledger-tables.ts";
import type { Queryable } from "../db/database.ts";
import { type Caller, scopeOf, tenantOf } from "./caller.ts";
import { ACCOUNT_STATUSES, email, plainLine } from "./people-fields.ts";
import { idParams, isoTime, listOf, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Accounts";

const MOST_METADATA = 50;

const profileFields = {
  external_id: plainLine(255).nullish().meta({ description: "Your own id of this customer, once in a mode." }),
  email: email.nullish(),
  name: plainLine(200).nullish(),
  metadata: z
    .record(
      plainLine(40),
      z
        .string()
        .max(500)
        .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters"),
    )
    .refine((given) => Object.keys(given).length <= MOST_METADATA, `must have ${String(MOST_METADATA)} keys at most`)
    .optional()
    .meta({ description: "Replaces what was there." }),
  credit_low_threshold: z
    .int()
    .min(0)
    .max(MAX_AMOUNT)
    .nullish()
    .meta({ description: "`credit.low` is told when the balance falls below it; null: never." }),
};

export const DefaultPaymentMethod = z.strictObject({
  id: z.string(),
  type: z.string().nullable(),
  brand: z.string().nullable(),
  last4: z.string().nullable(),
  exp_month: z.int().nullable(),
  exp_year: z.int().nullable(),
});

export const AccountAnswer = z
  .strictObject({
    id: z.string(),
    livemode: z.boolean(),
    external_id: z.string().nullable(),
    email: z.string().nullable(),
    name: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    credit_balance: z.int().meta({ description: "Below zero after a refund or dispute of credits that were spent." }),
    credit_low_threshold: z.int().nullable(),
    is_trial_user: z.boolean(),
    status: z.enum(ACCOUNT_STATUSES),
    period_end: isoTime.nullable(),
    trial_end: isoTime.nullable(),
    stripe_customer_id: z.string().nullable(),
    default_payment_method: DefaultPaymentMethod.nullable(),
    created_at: isoTime,
  })
  .meta({ id: "Account" });

export const listAccountsRoute = operation({
  tag: TAG,
  query: z.strictObject({
    external_id: plainLine(255).optional(),
    email: z
      .string()
      .trim()
      .min(1)
      .max(254)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u)
      .optional(),
    status: z.enum(ACCOUNT_STATUSES).optional(),
    ...pageFields,
  }),
  answers: { 200: listOf(AccountAnswer) },
  run: async (call) => {
    const { external_id: externalId, cursor: after, ...rest } = call.query;
    if (after !== undefined && !isId(after, "acc")) {
      const message = "Send the next_cursor of the page before, unchanged.";
      throw publicError("invalid_request", { message, param: "cursor" });
    }
    return scopeOf(call).transaction(async (tx) => {
      const found = await listAccounts(tx, modeOf(call.caller), { externalId, after, ...rest });
      const accounts = found.slice(0, rest.limit);
      const more = found.length > rest.limit;
      const data = await viewsOf(tx, modeOf(call.caller), accounts);
      return { data, has_more: more, next_cursor: more ? (accounts.at(-1)?.id ?? null) : null };
    });
  },
});

export const createAccountRoute = operation({
  tag: TAG,
  body: z.strictObject(profileFields),
  idempotent: true,
  answers: { 201: AccountAnswer },
  run: async (call) => {
    const { body, deps, idempotencyKey, reply } = call;
    const mode = modeOf(call.caller);
    const { external_id: externalId, email: address, name, metadata = {}, credit_low_threshold: lowThreshold } = body;
    const profile = { externalId: externalId ?? null, email: address ?? null, name: name ?? null, metadata };
    const view = await scopeOf(call).transaction(async (tx) => {
      const given = { ...profile, lowThreshold: lowThreshold ?? null, operationId: idempotencyKey ?? null };
      const [made] = await viewsOf(tx, mode, [await openAccount(tx, mode, given, deps.trialCredits)]);
      return made;
    });
    reply.status(201);
    return view;
  },
});

export const changeAccountRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject(profileFields),
  answers: { 200: AccountAnswer },
  run: async (call) => {
    const { body, params } = call;
    const mode = modeOf(call.caller);
    const { external_id: externalId, email: address, name, metadata, credit_low_threshold: lowThreshold } = body;
    const changes = {
      ...(externalId === undefined ? {} : { externalId }),
      ...(address === undefined ? {} : { email: address }),
      ...(name === undefined ? {} : { name }),
      ...(metadata === undefined ? {} : { metadata }),
    };
    try {
      return await scopeOf(call).transaction(async (tx) => {
        // The balance before the account, as everywhere: who locks them crosswise waits for ever.
        if (lowThreshold !== undefined) await setLowThreshold(tx, { ...mode, accountId: params.id }, lowThreshold);
        return viewOfAccount(tx, mode, await updateProfile(tx, mode, params.id, changes));
      });
    } catch (error) {
      if (isExternalIdTaken(error)) throw publicError("external_id_taken", { param: "external_id", cause: error });
      throw error;
    }
  },
});

export function modeOf(caller: Caller): TenantMode {
  return { tenantId: tenantOf(caller).id, livemode: caller.livemode };
}

export async function viewOfAccount(tx: Queryable, mode: TenantMode, account: Account | undefined) {
  if (account === undefined) throw publicError("not_found");
  const [view] = await viewsOf(tx, mode, [account]);
  return view;
}

async function viewsOf(tx: Queryable, mode: TenantMode, accounts: readonly Account[]) {
  const ids = accounts.map(({ id }) => id);
  const balances = await readBalances(tx, mode, ids);
  return accounts.map((account) => viewWith(account, balances.get(account.id)));
}

function viewWith(account: Account, balance: Balance | undefined): z.output<typeof AccountAnswer> {
  const { id, livemode, externalId, name, metadata, isTrialUser, status, paymentMethod } = account;
  return {
    ...{ id, livemode, external_id: externalId, email: account.email, name, metadata },
    credit_balance: balance?.balance ?? 0,
    credit_low_threshold: balance?.lowThreshold ?? null,
    ...{ is_trial_user: isTrialUser, status },
    period_end: account.periodEnd?.toISOString() ?? null,
    trial_end: account.trialEnd?.toISOString() ?? null,
    stripe_customer_id: account.stripeCustomerId,
    default_payment_method: viewOfMethod(paymentMethod),
    created_at: account.createdAt.toISOString(),
  };
}

export function viewOfMethod(method: PaymentMethod | null): z.output<typeof DefaultPaymentMethod> | null {
  if (method === null) return null;
  const { expMonth, expYear, ...rest } = method;
  return { ...rest, exp_month: expMonth, exp_year: expYear };
}
