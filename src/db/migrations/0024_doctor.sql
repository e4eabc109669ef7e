-- How Stripe's webhooks were met at the door, so that the reason of refusals can be told afterwards. No bodies, no senders.

-- Bounded: three addresses, two modes, a handful of secrets and outcomes.
create table webhook_receipts (
  -- The path that it came to.
  address  text collate "C" not null,
  -- platform: an event of the platform's own account · connect: of a connected one · none: it is no Stripe event
  kind     text collate "C" not null check (kind in ('platform', 'connect', 'none')),
  -- Empty for what is no event.
  livemode text collate "C" not null check (livemode in ('live', 'test', '')),
  -- accepted, or why not; changed: the signature fits the body as it was before something on the way rewrote it.
  outcome  text collate "C" not null
    check (outcome in ('accepted', 'missing', 'malformed', 'no_v1', 'stale', 'mismatch', 'changed')),
  -- The variable that the signing secret stands in; empty where none fits.
  secret   text collate "C" not null,
  count    bigint not null,
  last_at  timestamptz not null,
  primary key (address, kind, livemode, outcome, secret)
);
