-- Accounts, packs and the credit ledger. A tenant's customers in one mode: a test event never changes a live balance.

create table accounts (
  tenant_id text collate "C" not null,
  livemode  boolean not null,
  id        text collate "C" not null,
  -- The tenant's own name for this customer.
  external_id        text collate "C",
  email              text,
  name               text,
  metadata           jsonb not null default '{}',
  stripe_customer_id text collate "C",
  -- Of the platform's accounts only: who may sign in to it.
  person_id          text references people (id),
  is_trial_user      boolean not null default true,
  status     text not null default 'trial' check (status in ('trial', 'active', 'past_due', 'unpaid', 'paused', 'canceled')),
  period_end timestamptz,
  trial_end  timestamptz,
  -- The request that made it: run again, it finds what it made.
  operation_id       text collate "C",
  default_payment_method_id        text collate "C",
  default_payment_method_type      text,
  default_payment_method_brand     text,
  default_payment_method_last4     text,
  default_payment_method_exp_month smallint,
  default_payment_method_exp_year  smallint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, livemode, id)
);
create unique index accounts_external_id on accounts (tenant_id, livemode, external_id) where external_id is not null;
create unique index accounts_customer on accounts (tenant_id, livemode, stripe_customer_id) where stripe_customer_id is not null;
create unique index accounts_person on accounts (tenant_id, livemode, person_id) where person_id is not null;
create unique index accounts_operation on accounts (tenant_id, livemode, operation_id) where operation_id is not null;
create index accounts_email on accounts (tenant_id, livemode, lower(email)) where email is not null;

create table credit_packs (
  tenant_id text collate "C" not null,
  livemode  boolean not null,
  id        text collate "C" not null,
  name      text not null,
  credits   bigint not null check (credits > 0),
  -- Minor units, for one pack.
  amount    bigint not null check (amount >= 0),
  currency  text not null,
  stripe_product_id text collate "C",
  stripe_price_id   text collate "C",
  active     boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, livemode, id)
);
create unique index credit_packs_price on credit_packs (tenant_id, livemode, stripe_price_id) where stripe_price_id is not null;

-- What was bought, written before Stripe is asked for a session. `postings`: how many entries the ledger has posted for it;
-- the difference between what its lot says was taken and what Stripe's objects say is the next one.
create table credit_purchases (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  id         text collate "C" not null,
  account_id text collate "C" not null,
  pack_id    text collate "C",
  quantity   bigint not null default 1 check (quantity > 0),
  credits    bigint not null check (credits > 0),
  amount     bigint not null check (amount >= 0),
  currency   text not null,
  -- '' for the platform's own account.
  stripe_account    text collate "C" not null,
  -- When its credits do; null: never.
  expires_at        timestamptz,
  stripe_session_id text collate "C",
  payment_intent_id text collate "C",
  charge_id         text collate "C",
  state      text not null default 'pending' check (state in ('pending', 'paid', 'canceled')),
  postings   integer not null default 0,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (tenant_id, livemode, id),
  check ((state = 'paid') = (postings > 0))
);
create unique index credit_purchases_session on credit_purchases (livemode, stripe_account, stripe_session_id)
  where stripe_session_id is not null;
create unique index credit_purchases_intent on credit_purchases (livemode, stripe_account, payment_intent_id)
  where payment_intent_id is not null;
create index credit_purchases_charge on credit_purchases (livemode, stripe_account, charge_id) where charge_id is not null;
-- Those whose payment is not known yet: while there is one, an event of any payment may turn out to be its.
create index credit_purchases_open on credit_purchases (livemode, stripe_account, id)
  where payment_intent_id is null and state = 'pending';
create index credit_purchases_account on credit_purchases (tenant_id, livemode, account_id, id desc);

-- One row per account, made with it: who spends, grants or reverses holds its lock. balance = Σ lots' remaining − debt = Σ
-- entries' amounts. Only a reversal makes a debt, and takes all lots first.
create table credit_balances (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  account_id text collate "C" not null,
  balance    bigint not null default 0,
  debt       bigint not null default 0,
  -- A fact is told when the balance falls below it; null: never.
  low_threshold bigint,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, livemode, account_id),
  check (debt = greatest(0, -balance))
) with (fillfactor = 50);

create table credit_entries (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  account_id text collate "C" not null,
  id         text collate "C" not null,
  kind       text not null check (kind in ('purchase', 'grant', 'spend', 'reversal', 'restoral', 'expiry', 'adjustment')),
  -- Below zero for what is taken.
  amount        bigint not null check (amount <> 0),
  balance_after bigint not null,
  -- What it was made for, once: key:<Idempotency-Key>, <purchase>#<n>, expiry:<lot>@<what had expired before>, trial:<account>
  source      text collate "C" not null,
  reason      text not null,
  reference   text,
  purchase_id text collate "C",
  lot_id      text collate "C",
  -- Of the lot that it made.
  expires_at  timestamptz,
  created_at  timestamptz not null default clock_timestamp(),
  primary key (tenant_id, livemode, account_id, id)
);
create unique index credit_entries_source on credit_entries (tenant_id, livemode, source);
create index credit_entries_refunds on credit_entries (tenant_id, livemode, account_id, reference)
  where kind = 'restoral' and reference is not null;

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'credit_entries is append-only: % is refused', lower(tg_op) using errcode = 'restrict_violation';
end $$;
create trigger credit_entries_append_only before update or delete on credit_entries
  for each row execute function refuse_ledger_change();
create trigger credit_entries_never_emptied before truncate on credit_entries
  for each statement execute function refuse_ledger_change();

-- What an entry brought, and what is left of it; its id is the entry's. `open` and not `remaining` is what indexes look
-- at: a spend that leaves something changes no index.
create table credit_lots (
  tenant_id   text collate "C" not null,
  livemode    boolean not null,
  account_id  text collate "C" not null,
  id          text collate "C" not null,
  purchase_id text collate "C",
  credits     bigint not null,
  remaining   bigint not null,
  expired     bigint not null default 0,
  -- Of a purchase: what was taken back for refunds and disputes, now and when the rest expired.
  taken           bigint not null default 0,
  taken_at_expiry bigint not null default 0,
  expires_at  timestamptz,
  open        boolean not null default true,
  primary key (tenant_id, livemode, account_id, id),
  check (remaining >= 0 and remaining <= credits and expired >= 0 and taken >= 0 and taken <= credits),
  check (open = (remaining > 0))
) with (fillfactor = 60);
create index credit_lots_open on credit_lots (tenant_id, livemode, account_id) where open;
create index credit_lots_due on credit_lots (expires_at) where open and expires_at is not null;
create index credit_lots_purchase on credit_lots (tenant_id, livemode, purchase_id) where purchase_id is not null;

-- Balances that fell below their threshold, until they are facts: request code may not write those.
create table credit_low_notices (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  entry_id   text collate "C" not null,
  account_id text collate "C" not null,
  at         timestamptz not null default clock_timestamp(),
  primary key (tenant_id, livemode, entry_id)
);

-- A payment's objects name it; a settlement finds them by it, whatever came first.
create index charges_intent on charges (payment_intent_id) where payment_intent_id is not null;
create index refunds_intent on refunds (payment_intent_id) where payment_intent_id is not null;
create index disputes_intent on disputes (payment_intent_id) where payment_intent_id is not null;

select isolate_table('accounts', 'select, insert, update (external_id, email, name, metadata, updated_at)');
select isolate_table('credit_packs', 'select, insert, update');
select isolate_table('credit_purchases', 'select, insert, update (stripe_session_id)');
select isolate_table('credit_balances', 'select, insert, update (balance, debt, low_threshold, updated_at)');
select isolate_table('credit_entries', 'select, insert');
select isolate_table('credit_lots', 'select, insert, update (remaining, expired, taken, taken_at_expiry, open)');
select isolate_table('credit_low_notices', 'select (tenant_id), insert');
