// All that the doctor can find, in the order in which it is told: see docs/doctor.md, which is made of this. Pure.
import { BASE_FINDINGS, OWN_FINDINGS } from "./doctor-findings-base.ts";
import { type FindingKind, kind } from "./doctor-kind.ts";

const FOUND_AT_WORK = {
  // Stripe and its webhooks.
  stripe_not_configured: kind(
    "warning",
    "There is no Stripe",
    "No STRIPE_SECRET_KEY is set, and the sandbox is turned off by SANDBOX_PORT.",
    "Set STRIPE_SECRET_KEY, or remove SANDBOX_PORT to run against the sandbox.",
  ),
  stripe_key_refused: kind(
    "error",
    "Stripe refuses the key",
    "Stripe does not take {variable} for this: {reason}",
    "Copy {variable} again from Stripe's dashboard, Developers, API keys; a restricted key needs the right to read webhook endpoints and events.",
  ),
  stripe_unreachable: kind(
    "error",
    "Stripe does not answer",
    "A call in {mode} mode to {url} failed: {reason}",
    "Look at https://status.stripe.com, and let this machine reach {url}.",
  ),
  clock_wrong: kind(
    "error",
    "The clock is wrong",
    "This machine's clock is {seconds} seconds {direction} Stripe's: signatures older than 300 seconds are refused.",
    "Synchronise this machine's clock by NTP: `timedatectl set-ntp true`.",
  ),
  clock_skewed: kind(
    "warning",
    "The clock is not exact",
    "This machine's clock is {seconds} seconds {direction} Stripe's; from 300 on events are refused.",
    "Synchronise this machine's clock by NTP: `timedatectl set-ntp true`.",
  ),
  webhook_endpoint_missing: kind(
    "error",
    "A webhook endpoint is missing",
    "Stripe's {mode} account has no {role} endpoint at {url}: it sends no events of {whose}.",
    "Run `billhook stripe setup --mode {mode}`.",
  ),
  connect_endpoint_missing: kind(
    "warning",
    "There is no endpoint for connected accounts",
    "No tenant has connected a Stripe account in {mode} mode yet; when one does, Stripe sends none of its events to {url}.",
    "Run `billhook stripe setup --mode {mode}` before a tenant connects.",
  ),
  webhook_endpoint_url_wrong: kind(
    "error",
    "A webhook endpoint leads elsewhere",
    "The {role} endpoint {endpoint} sends to {found}, and none sends to {url}.",
    "Change the URL of {endpoint} in Stripe's dashboard to {url}, or set PUBLIC_URL; another deployment's endpoint is left alone by `billhook stripe setup --mode {mode}`, which makes one.",
  ),
  webhook_endpoint_not_connect: kind(
    "error",
    "A webhook endpoint lacks the Connect flag",
    "{endpoint} at {url} is a second endpoint for the platform's own account, and none is for connected accounts: Stripe sends no events of {whose}.",
    "Run `billhook stripe setup --mode {mode}`, which makes one that listens to connected accounts, and delete {endpoint}: the flag cannot be changed.",
  ),
  webhook_endpoint_disabled: kind(
    "error",
    "A webhook endpoint is disabled",
    "Stripe sends nothing to the {role} endpoint {endpoint} at {url}.",
    "Run `billhook stripe setup --mode {mode}`, then `billhook catch-up` for what was not sent.",
  ),
  webhook_endpoint_events: kind(
    "error",
    "A webhook endpoint lacks event types",
    "The {role} endpoint {endpoint} is not sent {count} [type|types] that Billhook reads, such as {types}.",
    "Run `billhook stripe setup --mode {mode}`, which adds them.",
  ),
  webhook_endpoint_version: kind(
    "warning",
    "A webhook endpoint sends another API version",
    "The {role} endpoint {endpoint} sends {found}; Billhook is built for {wanted}, and reads older shapes as well as it knows them.",
    "Run `billhook stripe setup --mode {mode}`, which puts an endpoint of {wanted} in its place without a gap.",
  ),
  webhook_endpoint_twice: kind(
    "notice",
    "Events come twice",
    "The endpoint {endpoint} brings the same events as another one; they count once.",
    "Delete {endpoint} in Stripe's dashboard if nobody needs it.",
  ),
  webhook_secret_missing: kind(
    "error",
    "A signing secret is missing",
    "The secret of the {role} endpoint {endpoint} is none of those that are configured.",
    "Copy it from Stripe's dashboard into {variable}, or run `billhook stripe setup --mode {mode} --rotate`.",
  ),
  webhook_secrets_swapped: kind(
    "warning",
    "Signing secrets are swapped",
    "The secret of the {role} endpoint {endpoint} stands in {found}: events are taken, but logs and `billhook stripe setup` take it for the other one's.",
    "Move it to {variable}, and start again.",
  ),
  webhook_secret_wrong: kind(
    "error",
    "A signing secret is wrong",
    "{count} [event|events] of {whose} came to {address}, the last at {at}, signed with a secret that is not configured; none was taken since.",
    "Copy the signing secret of the {role} endpoint in {mode} mode from Stripe's dashboard into {variable}, and start again. If Stripe's dashboard shows no failed deliveries, somebody else sent them.",
  ),
  webhook_secret_mixed: kind(
    "warning",
    "Some events fail their signature",
    "Events of {whose} are taken, but {count} at {address} [was|were] signed otherwise, the last at {at}: a second endpoint, or a forger.",
    "Look for a second {role} endpoint in Stripe's dashboard ({mode} mode): delete it, or add its secret to {variable} after a comma.",
  ),
  webhook_body_changed: kind(
    "error",
    "Something rewrites the events",
    "{count} [event|events] came to {address}, the last at {at}, whose signature fits the body only as it was before it was rewritten.",
    "Let the proxy, gateway or framework before {address} pass the body through byte for byte: no parsing, no reformatting, no re-encoding.",
  ),
  webhook_signature_stripped: kind(
    "error",
    "Events come without their signature",
    "{count} [event|events] came to {address}, the last at {at}, {how}.",
    "Let the proxy before {address} pass the Stripe-Signature header on, once and unchanged.",
  ),
  webhook_stale: kind(
    "error",
    "Events come too late",
    "{count} [event|events] came to {address}, the last at {at}, with a right signature of more than 300 seconds ago.",
    "Synchronise this machine's clock by NTP; if it is right, something before {address} holds events back or plays them again.",
  ),
  door_unreachable: kind(
    "warning",
    "PUBLIC_URL does not answer here",
    "{url} cannot be reached from this machine: {reason}",
    "Start the server, and let {url} lead to it; from outside `curl -X POST {url}` must answer 400.",
  ),
  door_redirects: kind(
    "error",
    "PUBLIC_URL only redirects",
    "{url} answers {status} and names {location}: Stripe follows no redirect.",
    "Set PUBLIC_URL and the endpoints' URL at Stripe to where it leads, or answer at {url} itself.",
  ),
  door_elsewhere: kind(
    "error",
    "PUBLIC_URL leads to something else",
    "{url} answers {status}, and not as Billhook does: a proxy, a firewall or another program stands there.",
    "Let {url} lead to Billhook without a login, a CSRF check or a bot check before it: `curl -X POST {url}` must answer 400 with `signature_missing`.",
  ),
  door_rewrites: kind(
    "error",
    "A proxy rewrites what is posted",
    "What was posted to {url}, spaced as Stripe spaces it, failed its signature; the same in the simplest form did not.",
    "Let the proxy before {url} pass bodies through byte for byte.",
  ),
  door_strips_signature: kind(
    "error",
    "A proxy drops the signature",
    "What was posted to {url} arrived without its Stripe-Signature header.",
    "Let the proxy before {url} pass the Stripe-Signature header on.",
  ),
  door_other_secret: kind(
    "error",
    "The server at PUBLIC_URL has other secrets",
    "{url} does not take what is signed with {variable} as it is set here.",
    "Start the server again with the same {variable} on every node, or set PUBLIC_URL to the right one.",
  ),
  events_not_delivered: kind(
    "warning",
    "Stripe holds events that did not arrive",
    "{count} [event|events] of the last three days in {mode} mode [was|were] not delivered and [is|are] not here, the oldest {id} of {at}.",
    "Mend the endpoints first, then run `billhook catch-up --since {since}`.",
  ),
  events_missed: kind(
    "error",
    "Events are lost to catch-up",
    "Of {account} in {mode} mode nothing is known from {since} until {until}, and Stripe lists those events no longer.",
    "Run `billhook import`, without `--since`: what is older changed meanwhile too.",
  ),
  catch_up_failing: kind(
    "warning",
    "Catch-up fails",
    "The last catch-up of {account} in {mode} mode ended with: {reason}",
    "Mend that, then run `billhook catch-up --account {account}`.",
  ),
  webhook_receipts: kind(
    "ok",
    "What the webhook door took",
    "{address}: {count} [event|events] of {whose} taken, the last at {at}.",
    "Nothing.",
  ),

  // What was received.
  events_failed: kind(
    "error",
    "Events failed",
    "{count} [event was|events were] given up, the last {id} ({type}): {reason}",
    "Look with `billhook events show {id}`; when its cause is mended run `billhook events replay --status failed`.",
  ),
  events_stuck: kind(
    "error",
    "Events are not processed",
    "The oldest of {count} [event|events] in the queue has waited for {age} seconds.",
    "Start a process with the role `work` (`billhook serve`), and look at its log for `background work failed`.",
  ),
  events_late: kind(
    "warning",
    "Events are processed late",
    "The oldest of {count} [event|events] in the queue has waited for {age} seconds.",
    "Look at the log for `background work failed`; if it only has much to do, start another process with `billhook serve --roles work`.",
  ),
  events_unrouted: kind(
    "warning",
    "Events belong to nobody",
    "{count} [event|events] came of the Stripe account {account}, which no tenant has connected.",
    "Let its tenant connect {account} (`POST /api/v1/auth/tenants/stripe/connect/`): the events are processed then.",
  ),
  shapes_unknown: kind(
    "warning",
    "Objects have a shape that is not known",
    "{count} [row has|rows have] required fields that could not be read.",
    "Bring the endpoints to the API version of this Billhook with `billhook stripe setup`, then run `billhook drift --repair`.",
  ),
  fetches_failing: kind(
    "warning",
    "Objects cannot be fetched",
    "{count} [object is|objects are] asked of Stripe again and again, such as {id}: {reason}",
    "Mend that: they are fetched by themselves then.",
  ),

  // Tenants.
  tenant_past_due: kind(
    "error",
    "A tenant's account is restricted for what it owes Stripe",
    "The account {account} of {tenant} lacks {due}, which was due{deadline}; {cannot}.",
    "Let an owner of {tenant} open a new onboarding link: `POST /api/v1/auth/tenants/stripe/connect/`.",
  ),
  tenant_requirements: kind(
    "warning",
    "Stripe wants something of a tenant",
    "The account {account} of {tenant} lacks {due}{deadline}; {cannot}.",
    "Let an owner of {tenant} open a new onboarding link: `POST /api/v1/auth/tenants/stripe/connect/`.",
  ),
  connect_unfinished: kind(
    "notice",
    "Nobody came back from Stripe",
    "{count} of the last week's onboardings ended without a return to Billhook, the last of {tenant}.",
    "If they meant to finish: allow {url} as a redirect URI in Stripe's Connect settings, and let them begin again; a link works for minutes only.",
  ),
  receiver_disabled: kind(
    "warning",
    "A tenant's webhooks have stopped",
    "The endpoint {endpoint} of {tenant} was disabled at {at}: {why}.",
    "When {url} answers 2xx within 10 seconds: `POST /api/v1/webhook-endpoints/{endpoint}/enable/`, then `/recover/` for what it missed.",
  ),
  receiver_failing: kind(
    "warning",
    "A tenant's receiver fails",
    "Every attempt at the endpoint {endpoint} of {tenant} has failed since {at}; the last: {reason}.",
    "Let {tenant} mend {url}: it must answer 2xx within 10 seconds and take the endpoint's current secret. After five days it is disabled.",
  ),
  deliveries_late: kind(
    "warning",
    "Webhooks to tenants wait",
    "{count} [delivery waits|deliveries wait], the oldest of {tenant} for {age} seconds.",
    "Look at `GET /api/v1/admin/overview/`; if their receivers answer, raise WEBHOOK_CONCURRENCY or start another process.",
  ),

  // What is sold.
  pack_without_price: kind(
    "error",
    "A credit pack cannot be bought",
    "The credit pack {pack} ({name}) of {tenant} has no Stripe price{reason}.",
    "Run `billhook credit-packs sync --tenant {tenant} --livemode {livemode}`.",
  ),
  plan_without_price: kind(
    "error",
    "A plan cannot be bought",
    "The plan {pack} ({name}) of {tenant} has no Stripe price{reason}.",
    "Run `billhook plans sync --tenant {tenant} --livemode {livemode}`.",
  ),
  price_without_pack: kind(
    "notice",
    "A price that was paid matches no pack",
    "{count} paid [session|sessions] of the last 30 days bought {price} of {tenant} beside a pack, and it is no pack's own.",
    "If {price} should bring credits: mark it as a pack's in Stripe and run `billhook credit-packs sync --from-stripe`; then decide on the payments at `GET /api/v1/admin/unmatched-purchases/`.",
  ),
  session_without_pack: kind(
    "notice",
    "What was paid is no pack",
    "{count} paid [session|sessions] of the last 30 days sold nothing whose price is a pack of {tenant}, the last {session}: [it|they] brought no credits.",
    "Look at what {session} sold in Stripe's dashboard. If it should bring credits: mark its price as a pack's and run `billhook credit-packs sync --from-stripe`, and give the buyers theirs (`POST /api/v1/accounts/:id/credits/grant/`).",
  ),
  purchases_waiting: kind(
    "warning",
    "Payments wait for a decision",
    "{count} [payment|payments] of {tenant} brought no credits yet, because {why}; the oldest {id} of {at}.",
    "Look at `GET /api/v1/admin/unmatched-purchases/`, then `POST /api/v1/admin/unmatched-purchases/{id}/assign/` or `/dismiss/`.",
  ),
  purchases_unresolved: kind(
    "warning",
    "Payments cannot be looked up",
    "{count} [payment was|payments were] asked of Stripe five times or more without an answer, such as {id}: {reason}",
    "Mend that: they are looked up by themselves then.",
  ),

  // Mail.
  mail_server_unreachable: kind(
    "error",
    "The mail server does not answer",
    "{host} does not take connections on port {port}: {reason}",
    "Correct SMTP_URL, or let this machine reach {host} on port {port}.",
  ),
  mails_failed: kind(
    "error",
    "Mails were refused",
    "{count} [mail|mails] of the last week [was|were] given up, the last {id} ({template}): {reason}",
    "Correct {settings}, then `billhook mails retry {id}`; all are listed by `billhook mails list --status failed`.",
  ),
  mails_late: kind(
    "warning",
    "Mails wait",
    "{count} [mail was|mails were] tried and not sent yet; the last answer was: {reason}",
    "Correct {settings}; they are tried again by themselves.",
  ),
} satisfies Record<string, FindingKind>;

export const FINDINGS = { ...BASE_FINDINGS, ...FOUND_AT_WORK, ...OWN_FINDINGS };

export type FindingCode = keyof typeof FINDINGS;
