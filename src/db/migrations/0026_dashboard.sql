-- What the dashboard asks for: a link that signs the operator in, figures by minute and day, and indexes for search and lists.

-- Only in development. Whoever opens it acts as the platform's owner: stored hashed, works once, and ends by the next start.
create table sign_in_links (
  token_hash bytea primary key,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);

-- Stripe events by minute (kept two days) and by day, added up by each process every few seconds: nothing is written on the
-- way of an event, and a process that is killed takes its last seconds' figures with it.
create table activity_counts (
  step_seconds integer not null check (step_seconds in (60, 86400)),
  at           timestamptz not null,
  received     bigint not null default 0,
  processed    bigint not null default 0,
  failed       bigint not null default 0,
  primary key (step_seconds, at)
);

-- Money and credits by day in UTC, counted anew in the background. Figures of credits have no currency.
create table daily_figures (
  livemode   boolean not null,
  day        date not null,
  figure     text not null,
  currency   text not null default '',
  amount     bigint not null,
  counted_at timestamptz not null,
  primary key (livemode, day, figure, currency)
);

-- How scheduled work went last, on whichever node it ran.
create table scheduled_runs (
  name            text primary key,
  every_seconds   integer not null,
  last_started_at timestamptz,
  last_ended_at   timestamptz,
  next_run_at     timestamptz,
  outcome         text check (outcome in ('done', 'failed')),
  error           text,
  runs            bigint not null default 0,
  failures        bigint not null default 0
);

-- The same indexes as before, which now find beginnings of addresses too, whatever the database's collation: no cost.
drop index customers_email;
create index customers_email on customers (lower(email) text_pattern_ops) where email is not null;
drop index accounts_email;
create index accounts_email on accounts (tenant_id, livemode, lower(email) text_pattern_ops) where email is not null;
drop index connected_invoices_email;
create index connected_invoices_email on connected_invoices (tenant_id, livemode, lower(customer_email) text_pattern_ops);

-- What the operator looks for in all tenants at once. An account, a person and a purchase are written a few times in their life.
create index accounts_email_any on accounts (lower(email) text_pattern_ops) where email is not null;
create index people_email_prefix on people (lower(email) text_pattern_ops);
create index credit_purchases_listed on credit_purchases (id, tenant_id, livemode);
create index subscription_items_id on subscription_items (id);

-- A customer's refunds and disputes, which do not name it: those of its newest charges, and of all that say that they were
-- given back, which are few. The first takes eight bytes more of each charge than before.
drop index charges_customer;
create index charges_customer on charges (customer_id, stripe_created desc) where customer_id is not null;
create index charges_returned on charges (customer_id, stripe_created desc) where customer_id is not null and (disputed or amount_refunded > 0);

-- Entries only grow: a few bytes for each 32 pages find those of a day, and one by its id.
create index credit_entries_made on credit_entries using brin (created_at, id) with (pages_per_range = 32, autosummarize = on);

-- Rows in a state that few are in, in the order of their list. The common one is found by that order itself, and pays nothing.
create index subscriptions_status on subscriptions (status, stripe_created desc, id desc) where status <> 'active';
create index invoices_status on invoices (status, stripe_created desc, id desc) where status <> 'paid';
create index payment_intents_status on payment_intents (status, stripe_created desc, id desc) where status <> 'succeeded';
create index refunds_status on refunds (status, stripe_created desc, id desc) where status <> 'succeeded';
create index disputes_status on disputes (status, stripe_created desc, id desc);
