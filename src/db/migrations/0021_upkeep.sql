-- What upkeep reads, and what one spend reads of an account with many lots, by index.

-- In the order in which lots are spent: who spends reads as many as hold it.
drop index credit_lots_open;
create index credit_lots_open on credit_lots (tenant_id, livemode, account_id, expires_at, id) where open;

-- Cards by the month in which they expire.
create index payment_methods_expiry on payment_methods ((exp_year * 12 + exp_month - 1))
  where not deleted and customer_id is not null and tenant_id is not null and exp_month between 1 and 12;
create index sources_expiry on sources ((exp_year * 12 + exp_month - 1))
  where not deleted and customer_id is not null and tenant_id is not null and exp_month between 1 and 12;

-- Which prices sell packs, the cheapest first: whether a paid session can hold any.
create index offer_prices_packs on offer_prices (tenant_id, livemode, stripe_account, amount) where credits is not null;

-- By age: nobody waits for ever.
create index status_grants_age on status_grants (created_at);
