// Every list, search, story and figure that the dashboard asks for, at a million Stripe events: p50 and p99 through HTTP, one request
// after the other, with filters and deep cursors. Usage: node bench/lists.ts [--events 1000000] [--invoices 100000] [--rounds 100]
// [--keep] [--save]. `--keep` leaves the database where it is and tells its address: it is what the seeding is for by itself.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { countDays } from "../src/billing/daily-figures.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { ensurePlatformTenant } from "../src/tenants/platform.ts";
import { signInLink } from "../src/tenants/sign-in-links.ts";
import { createDatabase, startPostgres } from "../test/support/postgres.ts";
import { type Seeded, seedRows } from "../test/support/seeded-rows.ts";
import { saying } from "./saved.ts";
import { startBillhook, temporaryFolder } from "./servers.ts";

const OPERATOR = "bench-operator-token";
const TARGET_MS = 50;
/** Pages that a list is followed. */
const DEEP = 40;

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    invoices: { type: "string", default: "100000" },
    rounds: { type: "string", default: "100" },
    keep: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});
const [events, invoices, rounds] = [Number(values.events), Number(values.invoices), Number(values.rounds)];
if (![events, invoices, rounds].every((one) => Number.isSafeInteger(one) && one >= 1)) {
  process.stderr.write("--events, --invoices and --rounds take numbers from 1\n");
  process.exit(2);
}
const { say, end } = saying("lists", "Lists, search, stories and figures", values.save);

/** By whom each is asked; `paged`: it is followed by its cursor too. */
interface Question {
  path: string;
  as: "operator" | "owner";
  paged?: boolean;
}

const OWN_FILTERED = [
  ...["events/?type=invoice.paid", "events/?type=invoice.*", "events/?since=2026-01-01T00:00:00Z"],
  ...["deliveries/?status=failed", "deliveries/?status=delivered", "deliveries/?since=2026-01-01T00:00:00Z"],
  ...["accounts/?external_id=ext-7", "accounts/?email=customer7%40seeded.example", "accounts/?status=active"],
  ...["webhook-endpoints/", "recoveries/", "credit-packs/", "plans/"],
];

const ADMIN_FILTERED = [
  ...["tenants/?text=7", "users/?text=person7", "plans/?text=gold", "credit-packs/?text=pack", "jobs/?status=running"],
  ...["mails/?status=sent", "mails/?to=nobody%40seeded.example", "credit-purchases/?state=paid"],
  ...["invoices/?since=2026-01-01T00:00:00Z", "stripe-events/?since=2026-01-01T00:00:00Z"],
  ...["unmatched-purchases/?status=open", "billing-log/?livemode=false"],
];

function questionsOf({ tenant, account, connectedAccount, whale, eventId, invoiceId }: Seeded): Question[] {
  const admin = (path: string, paged = false): Question => ({ path: `/api/v1/admin/${path}`, as: "operator", paged });
  const own = (path: string, paged = false): Question => ({ path, as: "owner", paged });
  const lists = ["customers", "subscriptions", "invoices", "payments", "refunds", "disputes", "stripe-events"];
  const others = [
    "credit-purchases",
    "tenants",
    "users",
    "plans",
    "credit-packs",
    "mails",
    "jobs",
    "unmatched-purchases",
    "billing-log",
  ];
  const events = [
    "type=invoice.paid",
    "type=customer.deleted",
    "status=failed",
    "status=ignored",
    "status=processed",
    "livemode=false",
  ];
  const search = [
    ...[account, tenant, eventId, invoiceId, whale, "customer77@", "ext-77", "in_nothing"],
    ...["cs_seeded6", "price_plan700", "prod_plan700", "prod_pack700", "pi_seeded20", "re_seeded20", "dp_seeded100"],
  ];
  return [
    ...[...lists, ...others].map((list) => admin(`${list}/?limit=20`, true)),
    ...["uncollectible", "open", "paid"].map((status) => admin(`invoices/?status=${status}`)),
    ...[
      "subscriptions/?status=past_due",
      "payments/?status=canceled",
      "refunds/?status=failed",
      "disputes/?status=needs_response",
    ].map((path) => admin(path)),
    ...lists.slice(0, 6).map((list) => admin(`${list}/?account=${connectedAccount}`)),
    ...lists.slice(1, 6).map((list) => admin(`${list}/?customer=cus_seeded7`)),
    ...lists.slice(0, 6).map((list) => admin(`${list}/?text=customer7%40seeded.example`)),
    ...[
      ...events,
      `account=${connectedAccount}`,
      "account=platform",
      `object_id=${invoiceId}`,
      "customer=cus_seeded7",
      `text=${eventId}`,
    ].map((filter) => admin(`stripe-events/?${filter}`)),
    ...["customer7%40seeded.example", "cs_seeded6", "pi_bought6"].map((text) =>
      admin(`credit-purchases/?text=${text}`),
    ),
    admin("overview/"),
    ...["hour", "day", "month"].map((range) => admin(`overview/series/?range=${range}`)),
    ...search.map((q) => admin(`search/?q=${encodeURIComponent(q)}`)),
    ...search.map((q) => own(`/api/v1/search/?q=${encodeURIComponent(q)}`)),
    ...[`object_id=${whale}`, `customer=${whale}`, "customer=cus_seeded7"].map((filter) =>
      admin(`billing-log/?limit=20&${filter}`, true),
    ),
    admin(`customers/${whale}/timeline/`, true),
    admin("customers/cus_seeded15/timeline/", true),
    admin(`customers/${account}/timeline/`, true),
    admin("background/"),
    ...["/api/v1/events/", "/api/v1/deliveries/", "/api/v1/accounts/", "/api/v1/auth/tenants/audit-log/"].map((path) =>
      own(path, true),
    ),
    own("/accounts/invoices/", true),
    ...["status=paid", "status=void", "status=void,pending", "customer_email=payer7%40seeded.example"].map((filter) =>
      own(`/accounts/invoices/?${filter}`),
    ),
    ...OWN_FILTERED.map((path) => own(`/api/v1/${path}`)),
    own(`/api/v1/events/?object_id=${invoiceId}`),
    ...ADMIN_FILTERED.map((path) => admin(path)),
    ...["purchases", "invoices", "credits/ledger"].map((path) => own(`/api/v1/accounts/${account}/${path}/`, true)),
  ];
}

const postgres = await startPostgres();
const folder = temporaryFolder();
const url = await createDatabase(postgres.url, `bench_lists_${newId("ten").slice(-10)}`);
const database = await openServer({ url, poolSize: 4 });
await migrate(database);
const platformTenant = await ensurePlatformTenant(database);
const began = performance.now();
const seeded = await seedRows(database, platformTenant, { events, invoices, payloadBytes: 2000 });
await countDays(database, systemClock);
const seconds = Math.round((performance.now() - began) / 1000);
say(
  `${events.toLocaleString("en")} Stripe events, ${invoices.toLocaleString("en")} invoices, seeded in ${String(seconds)} s`,
);
const server = await startBillhook({ secret: "whsec_bench", databaseUrl: url, dataDir: folder.path, roles: "api" });
const base = `http://127.0.0.1:${String(server.port)}`;
const access = await signedIn();

say(
  `PostgreSQL ${postgres.version}, load ${(loadavg()[0] ?? 0).toFixed(1)}; milliseconds of ${String(rounds)} requests each, one after the other`,
);
say(`  p50    p99    ${" ".repeat(8)}`);
let slow = 0;
for (const question of questionsOf(seeded)) {
  const times = question.paged === true ? await followed(question) : await repeated(question);
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  if (p99 >= TARGET_MS) slow += 1;
  say(
    `${p50.toFixed(1).padStart(6)} ${p99.toFixed(1).padStart(6)}${p99 < TARGET_MS ? "  " : " !"} ${question.path}${question.paged === true ? " and on" : ""}`,
  );
}
say(
  slow === 0 ? `every p99 is below ${String(TARGET_MS)} ms` : `${String(slow)} are not below ${String(TARGET_MS)} ms`,
);
end();
await server.stop();
await database.close();
if (values.keep) process.stdout.write(`the database stays until this process ends: ${url}\n`);
else await postgres.stop();
if (!values.keep) process.exit();

async function signedIn(): Promise<string> {
  const token = (await signInLink(database, base)).split("#token=")[1];
  const answer = await fetch(`${base}/api/v1/auth/sign-in-link/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  return ((await answer.json()) as { tokens: { access: string } }).tokens.access;
}

async function ask({ path, as }: Question, more = ""): Promise<{ took: number; next: string | null }> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${as === "operator" ? OPERATOR : access}`,
    ...(as === "owner" ? { "billhook-tenant": platformTenant, "billhook-mode": "test" } : {}),
  };
  const sent = performance.now();
  const answer = await fetch(base + path + more, { headers });
  const body = await answer.text();
  const took = performance.now() - sent;
  if (answer.status !== 200) throw new Error(`${path}: ${String(answer.status)} ${body.slice(0, 200)}`);
  return { took, next: (JSON.parse(body) as { next_cursor?: string | null }).next_cursor ?? null };
}

/** The first requests warm up and do not count. */
async function repeated(question: Question): Promise<number[]> {
  for (let time = 0; time < 5; time += 1) await ask(question);
  const times: number[] = [];
  for (let time = 0; time < rounds; time += 1) times.push((await ask(question)).took);
  return times;
}

/** From the first page on, again and again, as far as DEEP pages. */
async function followed(question: Question): Promise<number[]> {
  const times: number[] = [];
  let [cursor, page]: [string | null, number] = [null, 0];
  await ask(question);
  while (times.length < rounds) {
    const more = cursor === null ? "" : `${question.path.includes("?") ? "&" : "?"}cursor=${cursor}`;
    const { took, next } = await ask(question, more);
    times.push(took);
    page = next === null || page >= DEEP ? 0 : page + 1;
    cursor = page === 0 ? null : next;
  }
  return times;
}

function percentile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? NaN;
}
