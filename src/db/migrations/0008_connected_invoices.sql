-- Invoices on behalf of connected accounts: the tenant's record of each, made by us or elsewhere on its account.

-- The platform's share of this tenant's invoices; null: that of the configuration.
alter table tenants add column application_fee_percent numeric(5, 2)
  check (application_fee_percent between 0 and 100);
grant select (application_fee_percent) on tenants to billhook_tenant;

-- The work of making one stands in its row and not in a queue beside it: a row is written some ten times in its making,
-- one for each answer of Stripe's, and then hardly ever; the partial index holds what is being made, and nothing else.
create table connected_invoices (
  tenant_id               text collate "C" not null,
  id                      text collate "C" not null,
  livemode                boolean not null,
  stripe_account          text collate "C" not null,
  -- billhook: made here · stripe: made elsewhere on the account
  origin                  text not null check (origin in ('billhook', 'stripe')),
  -- The request that it was made by, where that may come again.
  request_key             text collate "C",
  customer_email          text,
  customer_name           text,
  currency                text not null,
  -- [{description, amount, quantity}], amount for one, in minor units
  items                   jsonb not null,
  memo                    text,
  metadata                jsonb not null default '{}',
  days_until_due          integer,
  application_fee_percent numeric(5, 2),
  application_fee_amount  bigint,
  total                   bigint not null,
  amount_due              bigint,
  amount_paid             bigint not null default 0,
  stripe_customer_id      text collate "C",
  stripe_invoice_id       text collate "C",
  number                  text,
  status                  text not null default 'pending'
    check (status in ('pending', 'paid', 'payment_failed', 'void', 'uncollectible')),
  paid_at                 timestamptz,
  due_at                  timestamptz,
  hosted_invoice_url      text,
  invoice_pdf             text,
  -- making · made · refused: the caller was told at once · abandoned: later. While its draft goes: refusing, abandoning
  stage                   text not null default 'made'
    check (stage in ('making', 'made', 'refusing', 'refused', 'abandoning', 'abandoned')),
  customer_made           boolean not null default false,
  items_made              integer not null default 0,
  finalized               boolean not null default false,
  -- Part of the keys of its calls: the next round may do what Stripe's stored 500 stands in the way of.
  key_round               integer not null default 0,
  attempts                integer not null default 0,
  -- null: nothing is left to do
  next_attempt_at         timestamptz,
  lease                   text,
  error_code              text,
  error_message           text,
  error_request_id        text,
  created_by              text,
  created_at              timestamptz not null default now(),
  updated_at              timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index connected_invoices_request on connected_invoices (tenant_id, livemode, request_key)
  where request_key is not null;
-- The tenant stands in it because an account may move to another one, whose rows are its own.
create unique index connected_invoices_stripe on connected_invoices (livemode, stripe_account, stripe_invoice_id, tenant_id)
  where stripe_invoice_id is not null;
create index connected_invoices_listed on connected_invoices (tenant_id, livemode, created_at desc, id desc);
create index connected_invoices_email on connected_invoices (tenant_id, livemode, lower(customer_email));
create index connected_invoices_due on connected_invoices (next_attempt_at) where next_attempt_at is not null;

-- What came of it is written by the pipe, and by whoever makes it.
select isolate_table('connected_invoices', 'select, insert');
