-- The operator's search for what is sold at a price or as a product of Stripe's: plans and packs of all tenants were read for it.
-- Both are hardly ever written.
create index plans_stripe_price on plans (stripe_price_id) where stripe_price_id is not null;
create index plans_stripe_product on plans (stripe_product_id) where stripe_product_id is not null;
create index credit_packs_stripe_price on credit_packs (stripe_price_id) where stripe_price_id is not null;
create index credit_packs_stripe_product on credit_packs (stripe_product_id) where stripe_product_id is not null;
