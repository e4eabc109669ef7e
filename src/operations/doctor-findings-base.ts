// What the doctor can find in the database, the settings and itself: see doctor-findings.ts. Pure.
import { type FindingKind, kind } from "./doctor-kind.ts";

/** Told first: without a database little else can be looked at. */
export const BASE_FINDINGS = {
  // The database: without it little else can be looked at.
  database_unreachable: kind(
    "error",
    "The database cannot be asked",
    "{reason}",
    "Mend that first, then run `billhook doctor` again: what is in the database could not be looked at.",
  ),
  schema_pending: kind(
    "error",
    "Migrations are pending",
    "The database lacks {count} [migration|migrations] of this version, from {first} on.",
    "Run `billhook migrate`, or start the server again.",
  ),
  schema_old: kind("error", "The schema is old", "{reason}", "Run `billhook migrate`, or start the server again."),
  schema_newer: kind(
    "notice",
    "The database is newer than this process",
    "Another process with a newer version has migrated it.",
    "Bring this process to the same version.",
  ),
  schema_broken: kind(
    "error",
    "The migrations are not those of this version",
    "{reason}",
    "Start the version that made this database, or restore the migration's file as it was published.",
  ),
  server_too_old: kind(
    "error",
    "PostgreSQL is too old",
    "The server is PostgreSQL {version}; Billhook needs 15 or newer.",
    "Upgrade the server to PostgreSQL 15 or newer.",
  ),
  fsync_off: kind(
    "error",
    "A power cut loses answered events",
    "The server runs with {setting} = off.",
    "Set {setting} = on in the server's configuration, and restart it.",
  ),
  synchronous_commit_off: kind(
    "error",
    "A crash loses answered events",
    "synchronous_commit is off for the role and database that Billhook uses.",
    "Run `alter role {role} set synchronous_commit = on`, or `local`, and start Billhook again.",
  ),
  autovacuum_off: kind(
    "warning",
    "Nothing clears dead rows away",
    "autovacuum is off on the server: queues grow, and every claim gets slower.",
    "Set autovacuum = on in the server's configuration, and reload it.",
  ),
  connections_full: kind(
    "warning",
    "The server's connections are nearly used up",
    "{used} of {most} connections are open; a process of Billhook takes up to {pool}.",
    "Raise max_connections, lower DATABASE_POOL_SIZE, or put a pooler such as PgBouncer between.",
  ),
  database_clock_skewed: kind(
    "warning",
    "The database's clock is not this machine's",
    "They differ by {seconds} seconds: leases end too early or too late.",
    "Synchronise both machines' clocks by NTP.",
  ),
  index_missing: kind(
    "error",
    "An index is missing",
    "The index {index} of {table}, which a migration makes, is not there: its look-ups read the whole table.",
    "Run in the database: {statement}",
  ),
  index_invalid: kind(
    "error",
    "An index is invalid",
    "The index {index} of {table} was left half made, and no query uses it.",
    "Run in the database: reindex index concurrently {index}",
  ),
  table_scanned: kind(
    "warning",
    "A large table is read as a whole again and again",
    "{table} has {rows} rows and was read from end to end {scans} times since the statistics began.",
    "Run in the database: analyze {table}. If the number still grows, look for the query in pg_stat_statements and report it.",
  ),
  disk_full: kind(
    "error",
    "The disk is full",
    "{free} MB of {total} MB are left where {what} is, {path}.",
    "Free space there or enlarge it: at 0 no event is taken any more, and Stripe sends it again for three days only.",
  ),
  disk_low: kind(
    "warning",
    "The disk runs full",
    "{free} MB of {total} MB are left where {what} is, {path}.",
    "Free space there or enlarge it, or keep less: EVENTS_RETENTION_DAYS and DELIVERIES_RETENTION_DAYS.",
  ),
  disk_unknown: kind(
    "notice",
    "The database server's disk cannot be seen from here",
    "{reason}",
    "Watch the free space of the server's data directory there; the database takes {size} MB now.",
  ),

  // Settings.
  setting_invalid: kind("error", "A setting is wrong", "{variable}: {problem}", "Correct {variable}, and start again."),
  setting_ignored: kind(
    "warning",
    "A setting has no effect",
    "{problem}.",
    "Remove it, or correct its name, and start again.",
  ),
  unsigned_webhooks_allowed: kind(
    "warning",
    "Unsigned events are taken",
    "STRIPE_WEBHOOK_ALLOW_UNSIGNED is on and no webhook secret is set: any program on this machine can forge events.",
    "Set STRIPE_WEBHOOK_SECRET (run `billhook stripe setup`), and remove STRIPE_WEBHOOK_ALLOW_UNSIGNED.",
  ),
  public_url_insecure: kind(
    "error",
    "PUBLIC_URL is plain http",
    "Stripe sends events to https addresses only, and tokens would travel in the clear to {url}.",
    "Put TLS in front of Billhook, and set PUBLIC_URL to https://….",
  ),
  public_url_local: kind(
    "warning",
    "Stripe cannot reach PUBLIC_URL",
    "{url} is an address of this machine alone.",
    "Set PUBLIC_URL to where Stripe reaches Billhook; for development run `stripe listen --forward-to {url}/stripe/webhook/`.",
  ),
  live_outside_production: kind(
    "warning",
    "A live key outside production",
    "STRIPE_SECRET_KEY is a live key, but NODE_ENV is {environment}: what production refuses is allowed here.",
    "Set NODE_ENV=production, or use a test key.",
  ),
  log_level_debug: kind(
    "warning",
    "The log tells everything",
    "LOG_LEVEL is {level}: it costs time and disk, and tells more of people than it must.",
    "Set LOG_LEVEL=info.",
  ),
  mails_kept: kind(
    "warning",
    "No mail is sent",
    "No mail server is set: invitations, password links and billing mails are kept in the dashboard.",
    "Set SMTP_URL and MAIL_FROM, or MAILGUN_API_KEY, MAILGUN_DOMAIN and MAILGUN_SENDER_EMAIL.",
  ),
  secret_short: kind(
    "warning",
    "A secret is short",
    "{variable} has {length} characters: fewer than 32 can be guessed where requests are not limited.",
    "Set {variable} to the output of `openssl rand -hex 32`.",
  ),
  secret_generated: kind(
    "notice",
    "A secret lies in DATA_DIR alone",
    "{variable} is not set, so it was generated into {path}.",
    "Set {variable}, or keep a copy of {path}: without SECRET_KEY sealed secrets cannot be read again.",
  ),
  cors_insecure: kind(
    "warning",
    "Pages without TLS may call the API",
    "CORS_ORIGINS allows {origin}, which anybody on the way can change.",
    "Give {origin} as https://… in CORS_ORIGINS, or remove it.",
  ),
  webhook_hosts_allowed: kind(
    "notice",
    "Webhooks may go to addresses inside",
    "WEBHOOK_ALLOWED_HOSTS lets every tenant's webhooks reach {hosts}.",
    "Remove from WEBHOOK_ALLOWED_HOSTS what no tenant's receiver is.",
  ),
  webhook_hosts_plain: kind(
    "warning",
    "Webhooks may go out without TLS",
    "WEBHOOK_ALLOWED_HOSTS lets webhooks go to {hosts} by http.",
    "Give the receiver TLS, and remove http:// from WEBHOOK_ALLOWED_HOSTS.",
  ),
  catch_up_off: kind(
    "warning",
    "Lost webhooks stay lost",
    "CATCH_UP_EVERY_SECONDS is 0: what no webhook brings is fetched by `billhook catch-up` alone.",
    "Remove CATCH_UP_EVERY_SECONDS, or run `billhook catch-up` by a schedule.",
  ),
} satisfies Record<string, FindingKind>;

/** Told last. */
export const OWN_FINDINGS = {
  // The doctor itself.
  check_failed: kind(
    "warning",
    "Something could not be checked",
    "{check}: {reason}",
    "Run `billhook doctor` again; if it stays, look at the database's and the process's log.",
  ),
  more_found: kind(
    "notice",
    "There is more of the same",
    "{count} more [was|were] found of: {what}.",
    "Mend those that are listed, and run `billhook doctor` again.",
  ),
} satisfies Record<string, FindingKind>;
