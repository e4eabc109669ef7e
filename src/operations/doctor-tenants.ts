// Tenants as the doctor sees them: what Stripe wants of their accounts, and whether their receivers take what they are told.
import { deliveryQueueState } from "../outbox/delivery-reads.ts";
import { check } from "./doctor-check.ts";
import { oneLine } from "./doctor-processing.ts";
import { atMost, type Found, when } from "./doctor-report.ts";

interface AccountRow {
  tenant: string;
  account: string;
  currentlyDue: unknown;
  pastDue: unknown;
  deadline: Date | null;
  chargesEnabled: boolean | null;
  payoutsEnabled: boolean | null;
  disabledReason: string | null;
}

export const accountsCheck = check({
  code: "tenant_accounts",
  title: "Tenants' Stripe accounts",
  needs: "database",
  look: async ({ ask }) => (await ask.query<AccountRow>(ACCOUNTS)).rows,
  judge: (rows): Found[] => {
    const found = rows.map(judgeAccount);
    return (["tenant_past_due", "tenant_requirements"] as const).flatMap((code) =>
      atMost(found.filter((one) => one.code === code)),
    );
  },
});

const DUE_NAMED = 3;

function judgeAccount(row: AccountRow): Found {
  const { tenant, account, deadline, disabledReason } = row;
  const [past, current] = [textsOf(row.pastDue), textsOf(row.currentlyDue)];
  const all = [...new Set([...past, ...current])];
  const due =
    all.length === 0
      ? `what Stripe calls ${disabledReason ?? "restricted"}`
      : all.slice(0, DUE_NAMED).join(", ") + (all.length > DUE_NAMED ? ` and ${all.length - DUE_NAMED} more` : "");
  const values = {
    ...{ tenant, account, due },
    deadline: deadline === null ? "" : past.length > 0 ? ` on ${when(deadline)}` : `, due on ${when(deadline)}`,
    cannot: standing(row),
  };
  const details = { currently_due: current, past_due: past, disabled_reason: disabledReason };
  return { code: past.length > 0 ? "tenant_past_due" : "tenant_requirements", subject: tenant, values, details };
}

const textsOf = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : [];

function standing({ chargesEnabled, payoutsEnabled }: AccountRow): string {
  const off = [
    ...(chargesEnabled === false ? ["take payments"] : []),
    ...(payoutsEnabled === false ? ["be paid out"] : []),
  ];
  return off.length === 0 ? "it still takes payments and is paid out" : `it cannot ${off.join(" or ")}`;
}

export const flowsCheck = check({
  code: "connect_flows",
  title: "Onboardings at Stripe",
  needs: "database",
  look: async ({ ask, config }) => ({
    url: `${config.publicUrl}/api/v1/auth/tenants/stripe/callback/`,
    row: (await ask.query<{ count: number; tenant: string }>(UNFINISHED)).rows[0],
  }),
  judge: ({ url, row }): Found[] =>
    row === undefined ? [] : [{ code: "connect_unfinished", subject: row.tenant, values: { ...row, url } }],
});

interface ReceiverRow {
  tenant: string;
  endpoint: string;
  url: string | null;
  reason: "gone" | "failing" | null;
  disabledAt: Date | null;
  failingSince: Date | null;
  lastStatus: number | null;
  lastError: string | null;
}

export const receiversCheck = check({
  code: "receivers",
  title: "Tenants' webhook receivers",
  needs: "database",
  look: async ({ ask, clock }) => ({
    rows: (await ask.query<ReceiverRow>(RECEIVERS)).rows,
    waiting: await deliveryQueueState(ask, clock.now()),
  }),
  judge: ({ rows, waiting }): Found[] => {
    const found = rows.map(judgeReceiver);
    const [oldest] = waiting.tenants;
    const values = { count: waiting.pending, tenant: oldest?.tenantId ?? "", age: Math.round(waiting.oldestAge) };
    return [
      ...atMost(found.filter(({ code }) => code === "receiver_disabled")),
      ...atMost(found.filter(({ code }) => code === "receiver_failing")),
      // Those of a receiver that fails wait for its retries.
      ...(waiting.oldestAge < LATE || rows.length > 0
        ? []
        : [{ code: "deliveries_late" as const, subject: values.tenant, values }]),
    ];
  },
});

/** Seconds: longer than a delivery waits for its turn, shorter than for its second retry. */
const LATE = 600;

function judgeReceiver(row: ReceiverRow): Found {
  const { tenant, endpoint, reason, disabledAt, failingSince, lastStatus, lastError } = row;
  const url = row.url ?? "its receiver";
  const said = lastStatus === null ? oneLine(lastError, "no answer") : `it answered ${lastStatus}`;
  if (disabledAt !== null) {
    const why = reason === "gone" ? "it answered 410" : `nothing was delivered for five days; the last: ${said}`;
    return {
      code: "receiver_disabled",
      subject: endpoint,
      values: { tenant, endpoint, url, at: when(disabledAt), why },
    };
  }
  const at = failingSince === null ? "its first attempt" : when(failingSince);
  return { code: "receiver_failing", subject: endpoint, values: { tenant, endpoint, url, at, reason: said } };
}

const ACCOUNTS = `
  select connection.tenant_id as tenant, connection.stripe_account as account, account.currently_due as "currentlyDue",
         account.past_due as "pastDue", account.current_deadline as deadline, account.charges_enabled as "chargesEnabled",
         account.payouts_enabled as "payoutsEnabled", account.disabled_reason as "disabledReason"
  from connections as connection
  join connected_accounts as account
    on account.livemode = connection.livemode and account.stripe_account = connection.stripe_account
       and account.id = connection.stripe_account
  where connection.disconnected_at is null and not account.deleted
    and (jsonb_array_length(coalesce(account.currently_due, '[]')) > 0
         or jsonb_array_length(coalesce(account.past_due, '[]')) > 0 or account.disabled_reason is not null)
  order by account.current_deadline nulls last, connection.tenant_id limit 1000`;

const UNFINISHED = `
  select count(*) over () as count, tenant_id as tenant
  from connect_states as state
  where used_at is null and expires_at < now() and created_at > now() - interval '7 days'
    and not exists (
      select from connections as connection
      where connection.tenant_id = state.tenant_id and connection.livemode = state.livemode
        and connection.disconnected_at is null and connection.status <> 'pending')
  order by created_at desc limit 1`;

// An hour of failing is no more than a restart of theirs.
const RECEIVERS = `
  select endpoint.tenant_id as tenant, endpoint.id as endpoint, endpoint.url, endpoint.disabled_reason as reason,
         endpoint.disabled_at as "disabledAt", endpoint.failing_since as "failingSince", last.status as "lastStatus",
         last.error as "lastError"
  from webhook_endpoints as endpoint
  left join lateral (
    select last_status_code as status, last_error as error from deliveries as delivery
    where delivery.tenant_id = endpoint.tenant_id and delivery.endpoint_id = endpoint.id
      and delivery.livemode = any (case when endpoint.livemode is null then '{true,false}' else array[endpoint.livemode] end)
      and delivery.last_attempt_at is not null
    order by delivery.id desc limit 1) as last on true
  where endpoint.disabled_reason in ('gone', 'failing')
    or (endpoint.status = 'enabled' and endpoint.failing_since < now() - interval '1 hour')
  order by coalesce(endpoint.disabled_at, endpoint.failing_since), endpoint.id limit 200`;
