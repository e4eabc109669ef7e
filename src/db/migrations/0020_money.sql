-- Subscriptions that lost their place in their plan group while Stripe was making them.

-- When it is withdrawn at Stripe, because the request does not hold its place and nobody was told how to pay it; infinity:
-- it was paid for all the same, and stays. Null: there is nothing to withdraw.
alter table subscription_requests add column withdraw_at timestamptz;
create index subscription_requests_withdraw on subscription_requests (withdraw_at) where withdraw_at < 'infinity';

-- Its page or secret was handed out while it had its place: what somebody begins there is never withdrawn, even if it is free.
alter table subscription_requests add column handed boolean not null default false;
update subscription_requests set handed = true where stripe_session_id is not null or subscription_id is not null;
