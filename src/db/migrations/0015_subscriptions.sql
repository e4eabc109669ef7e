-- Subscriptions that were asked for, payment methods that are being set up, refunds, automatic top-ups; and how an account
-- follows from its customer at Stripe.

alter table accounts
  -- The subscription that status, period_end and trial_end are of; null: there is none that counts.
  add column subscription_id text collate "C",
  -- What we were told here, and what the customer at Stripe said then: only what it says later than that takes its place.
  add column own_email     text,
  add column own_name      text,
  add column settled_email text,
  add column settled_name  text;
update accounts set own_email = email, own_name = name;
create index accounts_payment_method on accounts (default_payment_method_id) where default_payment_method_id is not null;
grant update (own_email, own_name, settled_email, settled_name) on accounts to billhook_tenant;

create index setup_intents_customer on setup_intents (customer_id, status) where customer_id is not null;

-- Written before Stripe is asked. `holds`: it takes its plan group's place, of which an account has one: from the question on,
-- until its session has expired, or its subscription has ended or was never paid.
create table subscription_requests (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  id         text collate "C" not null,
  account_id text collate "C" not null,
  plan_id    text collate "C" not null,
  plan_group text not null,
  mode       text not null check (mode in ('checkout', 'elements')),
  -- What Stripe is asked with: the same at each try.
  price_id   text collate "C" not null,
  quantity   bigint not null check (quantity > 0),
  trial_days integer not null default 0,
  promotion_code_id text collate "C",
  automatic_tax     boolean not null default false,
  application_fee_percent numeric(5, 2),
  stripe_account    text collate "C" not null,
  -- The same for each run of one request.
  request_key       text collate "C",
  stripe_session_id text collate "C",
  subscription_id   text collate "C",
  holds      boolean not null default true,
  created_at timestamptz not null default now(),
  ended_at   timestamptz,
  primary key (tenant_id, livemode, id)
);
create unique index subscription_requests_place on subscription_requests (tenant_id, livemode, account_id, plan_group) where holds;
create unique index subscription_requests_key on subscription_requests (tenant_id, livemode, request_key) where request_key is not null;
create index subscription_requests_session on subscription_requests (stripe_session_id) where stripe_session_id is not null;
create index subscription_requests_subscription on subscription_requests (subscription_id) where subscription_id is not null;

-- A payment method that a person adds. When its setup intent has succeeded, the customer's subscriptions are made to use it:
-- Stripe only keeps it.
create table payment_method_setups (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  id         text collate "C" not null,
  account_id text collate "C" not null,
  stripe_account  text collate "C" not null,
  request_key     text collate "C",
  setup_intent_id text collate "C",
  payment_method_id text collate "C",
  -- asked → succeeded → used; failed: Stripe refused it, or another one came later
  state      text not null default 'asked' check (state in ('asked', 'succeeded', 'used', 'failed')),
  attempts   integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, livemode, id)
);
create unique index payment_method_setups_key on payment_method_setups (tenant_id, livemode, request_key) where request_key is not null;
create index payment_method_setups_intent on payment_method_setups (setup_intent_id) where setup_intent_id is not null;
create index payment_method_setups_due on payment_method_setups (next_attempt_at) where state = 'succeeded';

create table refund_requests (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  id         text collate "C" not null,
  payment_id text collate "C" not null,
  stripe_account text collate "C" not null,
  -- Minor units; null: all that is left.
  amount     bigint check (amount > 0),
  reason     text,
  refund_application_fee boolean not null default false,
  request_key text collate "C",
  refund_id   text collate "C",
  created_at  timestamptz not null default now(),
  primary key (tenant_id, livemode, id)
);
create unique index refund_requests_key on refund_requests (tenant_id, livemode, request_key) where request_key is not null;

-- Accounts that buy a pack by themselves when their balance falls below a threshold. One payment at a time: `purchase_id`.
create table auto_top_ups (
  tenant_id  text collate "C" not null,
  livemode   boolean not null,
  account_id text collate "C" not null,
  enabled    boolean not null default true,
  threshold  bigint not null check (threshold >= 0),
  price_id   text collate "C" not null,
  quantity   bigint not null default 1 check (quantity > 0),
  -- The purchase that is under way, and the payment method that it is charged to: the same at each try.
  purchase_id       text collate "C",
  payment_method_id text collate "C",
  -- Failures in a row. Each doubles the wait, and the last one turns it off.
  failures   integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  -- When the last one was paid: only credits that were used since then ask for another one, none that were taken back.
  bought_at  timestamptz,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, livemode, account_id)
);
create index auto_top_ups_due on auto_top_ups (next_attempt_at) where enabled or purchase_id is not null;

select isolate_table('subscription_requests', 'select, insert');
select isolate_table('payment_method_setups', 'select, insert');
select isolate_table('refund_requests', 'select, insert');
select isolate_table('auto_top_ups',
  'select, insert, update (enabled, threshold, price_id, quantity, failures, next_attempt_at, last_error, updated_at)');
