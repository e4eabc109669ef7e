// The doctor's look at tenants, sales and mail: each is broken, and its finding read; on both databases.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { queueMail } from "../src/mail/queue-mail.ts";
import { sendOnce } from "../src/mail/send-mail.ts";
import { smtpSender } from "../src/mail/smtp.ts";
import { connectActive } from "./support/connected-accounts.ts";
import { newEndpoint, newTenant } from "./support/delivery-scene.ts";
import { type DoctorScene, openDoctorScene } from "./support/doctor-scene.ts";
import { openMailServer } from "./support/mail-server.ts";
import { BOTH } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newAccount } from "./support/stripe-fixtures-connect.ts";

const ACCOUNT = "acct_due";

describe.each(BOTH)("the doctor's look at tenants, sales and mail, %s", (kind) => {
  let scene: DoctorScene;
  let tenant: string;
  beforeAll(async () => {
    scene = await openDoctorScene(kind);
    tenant = await newTenant(scene.door.pipe.database);
  });
  afterAll(() => scene.close());
  afterEach(async () => {
    expect(await scene.troubles()).toEqual([]);
  });

  const query = async (text: string, values: unknown[] = []) =>
    (await scene.door.pipe.database.query({ text, values })).rows;

  let second = Math.floor(Date.now() / 1000) - 100;
  async function tellOfAccount(requirements: object, more: object = {}): Promise<void> {
    const account = newAccount({ id: ACCOUNT, requirements: { ...QUIET, ...requirements }, ...more });
    second += 1;
    const about = { created: second, apiVersion: NEW_API, account: ACCOUNT };
    expect((await scene.send(event("account.updated", account, about))).status).toBe(200);
    await scene.door.pipe.drain();
  }

  it("a tenant whose account owes Stripe something, now and since long", async () => {
    await connectActive(scene.door.pipe.database, tenant, ACCOUNT);
    await tellOfAccount({ currently_due: ["external_account"], current_deadline: 1_800_000_000 });
    const due = await scene.finding("tenant_requirements");
    expect([due.subject, due.cause]).toEqual([
      tenant,
      `The account acct_due of ${tenant} lacks external_account, due on 2027-01-15T08:00:00Z; it still takes payments and is paid out.`,
    ]);
    const overdue = {
      currently_due: ["external_account"],
      past_due: ["external_account"],
      disabled_reason: "requirements.past_due",
    };
    await tellOfAccount(overdue, { payouts_enabled: false });
    const past = await scene.finding("tenant_past_due");
    expect([past.severity, past.cause.includes("it cannot be paid out"), past.mend.includes(tenant)]).toEqual([
      "error",
      true,
      true,
    ]);
    await tellOfAccount({});
  });

  it("an onboarding from which nobody came back", async () => {
    const other = await newTenant(scene.door.pipe.database);
    await query(
      "insert into connect_states (tenant_id, state_hash, person_id, livemode, method, redirect_uri, expires_at) values ($1, '\\x01', 'usr_1', false, 'oauth', 'https://x.example', now() - interval '1 hour')",
      [other],
    );
    const { subject, mend } = await scene.finding("connect_unfinished");
    expect([subject, mend.includes(`${scene.door.url}/api/v1/auth/tenants/stripe/callback/`)]).toEqual([other, true]);
    await query("delete from connect_states");
  });

  it("a receiver that fails, one that was given up, and deliveries that wait", async () => {
    const { id } = await newEndpoint(scene.door.pipe.database, tenant, "https://receiver.example.com/hook");
    await query("update webhook_endpoints set failing_since = now() - interval '3 hours' where id = $1", [id]);
    await query(
      "insert into deliveries (tenant_id, livemode, id, endpoint_id, event_id, attempts, last_attempt_at, last_status_code) values ($1, false, 'dlv_1', $2, 'msg_1', 3, now(), 503)",
      [tenant, id],
    );
    const failing = await scene.finding("receiver_failing");
    expect([failing.subject, failing.cause.includes("503")]).toEqual([id, true]);
    expect(failing.mend).toContain("https://receiver.example.com/hook");
    await query(
      "update webhook_endpoints set status = 'disabled', disabled_reason = 'gone', disabled_at = now() where id = $1",
      [id],
    );
    expect((await scene.finding("receiver_disabled")).mend).toContain(`/webhook-endpoints/${id}/enable/`);
    await query(
      "update webhook_endpoints set status = 'enabled', disabled_reason = null, disabled_at = null, failing_since = null",
    );
    await query(
      "insert into delivery_queue (endpoint_id, delivery_id, tenant_id, livemode, event_id, queued_at) values ($1, 'dlv_1', $2, false, 'msg_1', now() - interval '1 hour')",
      [id, tenant],
    );
    expect((await scene.finding("deliveries_late")).subject).toBe(tenant);
    await query("delete from delivery_queue");
  });

  it("packs and plans that cannot be bought", async () => {
    const long = "now() - interval '1 hour'";
    await query(
      `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency, created_at) values ($1, false, 'pack_1', 'Small', 10, 500, 'usd', ${long})`,
      [tenant],
    );
    await query(
      "insert into offer_syncs (tenant_id, livemode, offer_id, error_code, error_message) values ($1, false, 'pack_1', 'stripe_refused', 'Stripe refuses this: no such currency.')",
      [tenant],
    );
    await query(
      `insert into plans (tenant_id, livemode, id, name, amount, currency, billing_interval, created_at) values ($1, false, 'pln_1', 'Pro', 500, 'usd', 'month', ${long})`,
      [tenant],
    );
    const pack = await scene.finding("pack_without_price");
    expect([pack.subject, pack.cause.includes("no such currency")]).toEqual(["pack_1", true]);
    expect(pack.mend).toContain(`billhook credit-packs sync --tenant ${tenant} --livemode false`);
    expect((await scene.finding("plan_without_price")).mend).toContain("billhook plans sync");
    for (const table of ["credit_packs", "plans", "offer_syncs"]) await query(`delete from ${table}`);
  });

  it("payments that wait for a decision, cannot be looked up, or bought something that is no pack", async () => {
    const insert = (id: string, status: string, more: Record<string, unknown>) => {
      const { reason = null, lines = null, attempts = 0, error = null } = more;
      return query(
        "insert into unmatched_purchases (tenant_id, livemode, stripe_account, stripe_session_id, id, status, reason, lines, attempts, last_error) values ($1, false, '', $2, $3, $4, $5, $6, $7, $8)",
        [tenant, `cs_${id}`, id, status, reason, lines, attempts, error],
      );
    };
    const lines = JSON.stringify([
      { price_id: "price_strange", pack_id: null, quantity: 1, amount: 500 },
      { price_id: "price_known", pack_id: "pack_1", quantity: 1, amount: 500 },
    ]);
    await insert("ump_1", "open", { reason: "other_items", lines });
    const waiting = await scene.finding("purchases_waiting");
    expect([waiting.subject, waiting.details]).toEqual(["ump_1", { reason: "other_items", tenant_id: tenant }]);
    expect(waiting.mend).toContain("/api/v1/admin/unmatched-purchases/ump_1/assign/");
    expect((await scene.finding("price_without_pack")).subject).toBe("price_strange");
    await insert("ump_2", "foreign", {});
    expect((await scene.finding("session_without_pack")).mend).toContain("cs_ump_2");
    await insert("ump_3", "resolving", { attempts: 7, error: "connect ECONNREFUSED" });
    expect((await scene.finding("purchases_unresolved")).cause).toMatch(/ump_3: connect ECONNREFUSED/);
    await query("delete from unmatched_purchases");
  });

  it("mails that a real server refuses or puts off, and a server that is not there", async () => {
    const server = await openMailServer();
    scene.set({ SMTP_URL: `smtp://127.0.0.1:${server.port}`, MAIL_FROM: "billing@example.com" });
    const { database } = scene.door.pipe;
    const send = async (to: string): Promise<void> => {
      const fields = { link: "https://app.example.com/reset?token=1", name: "Ada" };
      await database.transaction((tx) =>
        queueMail(tx, { tenantId: null, cause: to, to, template: "reset_password", fields }),
      );
      await sendOnce({
        ...{
          database,
          clock: systemClock,
          log: silentLog,
          leaseSeconds: 30,
          maxAttempts: 3,
          newLease: () => newId("node"),
        },
        sender: smtpSender({ from: "Billhook <billing@example.com>", host: "127.0.0.1", port: server.port }),
        metrics: { attempted: () => undefined },
      });
    };
    server.refuse({ recipient: (address) => (address.startsWith("gone") ? 550 : 451) });
    await send("gone@example.com");
    const failed = await scene.finding("mails_failed");
    expect([failed.cause.includes("550"), failed.mend.includes("SMTP_URL and MAIL_FROM")]).toEqual([true, true]);
    expect(failed.mend).toContain(`billhook mails retry ${String(failed.subject)}`);
    await send("later@example.com");
    expect((await scene.finding("mails_late")).cause).toContain("451");
    await server.close();
    expect((await scene.finding("mail_server_unreachable")).mend).toContain(String(server.port));
    scene.set({});
    for (const table of ["mail_queue", "mails"]) await query(`delete from ${table}`);
  });
});

const QUIET = { currently_due: [], past_due: [], current_deadline: null, disabled_reason: null };
