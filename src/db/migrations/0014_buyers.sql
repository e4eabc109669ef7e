-- Buyers: whose Stripe customer an account is, which request made a purchase, and payments that nobody of ours asked for.

-- On which Stripe account its customer is: a tenant that connects another one begins with new customers there.
alter table accounts add column stripe_customer_account text collate "C" not null default '';
create index accounts_stripe_customer on accounts (livemode, stripe_customer_account, stripe_customer_id)
  where stripe_customer_id is not null;

-- The request that made it: run again, it goes on with what it wrote.
alter table credit_purchases add column operation_id text collate "C";
alter table credit_purchases add column stripe_price_id text collate "C";
-- Minor units; null: of the platform's own sales.
alter table credit_purchases add column application_fee_amount bigint;
create unique index credit_purchases_operation on credit_purchases (tenant_id, livemode, operation_id)
  where operation_id is not null;
create index credit_purchases_sessionless on credit_purchases (created_at)
  where state = 'pending' and stripe_session_id is null and payment_intent_id is null;

-- Paid checkout sessions that belong to no purchase of ours, such as those of payment links: first they wait for their line
-- items (resolving), then they are somebody's (matched), no sale of credits (foreign), or a person decides (open).
create table unmatched_purchases (
  tenant_id      text collate "C" not null references tenants (id),
  livemode       boolean not null,
  -- '' for the platform's own account.
  stripe_account text collate "C" not null,
  stripe_session_id text collate "C" not null,
  id         text collate "C" not null,
  status     text not null default 'resolving'
             check (status in ('resolving', 'open', 'matched', 'foreign', 'assigned', 'dismissed')),
  -- Why a person must decide.
  reason     text check (reason in ('no_buyer', 'email_known', 'no_email', 'amount_differs', 'pack_inactive', 'older_than_pack', 'other_items', 'session_missing')),
  email      text,
  name       text,
  -- Minor units, as the session says: before discounts and tax, and what was paid.
  amount_subtotal bigint,
  amount_total    bigint,
  currency   text,
  -- What was bought: price, pack, quantity, amount of each line.
  lines      jsonb,
  -- Of all its packs together.
  pack_id    text collate "C",
  quantity   bigint,
  credits    bigint,
  -- Of the account that it became.
  account_id  text collate "C",
  purchase_id text collate "C",
  -- When its purchase is settled once more: a refund may have been on its way while it was written.
  settle_at   timestamptz,
  attempts   integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease      text,
  last_error text,
  created_at timestamptz not null default now(),
  decided_at timestamptz,
  primary key (tenant_id, livemode, stripe_account, stripe_session_id)
);
create unique index unmatched_purchases_id on unmatched_purchases (id);
create index unmatched_purchases_due on unmatched_purchases (livemode, next_attempt_at) where status = 'resolving';
create index unmatched_purchases_settled on unmatched_purchases (settle_at) where settle_at is not null;
create index unmatched_purchases_list on unmatched_purchases (status, id desc);

-- Which payments are whose a person of the platform decides: request code of tenants reads nothing of them.
select isolate_table('unmatched_purchases', 'select (tenant_id)');
