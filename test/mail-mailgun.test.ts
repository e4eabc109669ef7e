// Mails by Mailgun, on both databases: sent once, refused, put off as asked; and mails that are no longer true.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { type Log, type LogFields, silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { cardExpires, HEAD_CHECKS, invoiceUnpaid, trialEnds } from "../src/inbox/mail-checks.ts";
import type { WantedCheck } from "../src/mail/mail-checks.ts";
import { mailgunSender } from "../src/mail/mailgun.ts";
import { readMail, type ReadMail } from "../src/mail/mailbox.ts";
import { queueMail } from "../src/mail/queue-mail.ts";
import { retryMail } from "../src/mail/retry-mail.ts";
import { sendOnce, type SendOptions } from "../src/mail/send-mail.ts";
import { MAILGUN_DOMAIN, MAILGUN_KEY, type MailgunServer, openMailgunServer } from "./support/mailgun-server.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice } from "./support/stripe-fixtures-billing.ts";

const LINK = "https://app.example.com/pay?x=1";
let next = 0;

describe.each(BOTH)("mail by Mailgun, %s database", (kind) => {
  let pipe: Pipe;
  let server: MailgunServer;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());
  beforeEach(async () => {
    server = await openMailgunServer();
  });
  afterEach(async () => {
    await server.close();
    await pipe.database.query("delete from mail_queue");
    await pipe.database.query("delete from mails");
  });

  const optionsOf = (more: Partial<SendOptions> = {}, key = MAILGUN_KEY): SendOptions => ({
    database: pipe.database,
    clock: systemClock,
    log: silentLog,
    sender: mailgunSender(
      { key: new Secret(key), domain: MAILGUN_DOMAIN, from: "Acme <billing@acme.example>", apiBase: server.url },
      systemClock,
    ),
    checks: HEAD_CHECKS,
    product: "Acme",
    leaseSeconds: 30,
    maxAttempts: 3,
    newLease: () => newId("node"),
    metrics: { attempted: () => undefined },
    ...more,
  });
  const send = (more?: Partial<SendOptions>, key?: string): Promise<unknown> => sendOnce(optionsOf(more, key));
  const dueNow = (): Promise<unknown> => pipe.database.query("update mail_queue set next_attempt_at = now()");
  const queue = async (check?: WantedCheck, cause = `payment_failed:${next++}`): Promise<string> => {
    const id = await queueMail(pipe.database, {
      tenantId: "ten_1",
      cause,
      to: "ada@example.com",
      template: "payment_failed",
      fields: { link: LINK, name: "Ada", amount: { amount: 1250, currency: "jpy" } },
      ...(check === undefined ? {} : { check }),
    });
    return id ?? "";
  };
  const read = async (id: string): Promise<ReadMail> => {
    const mail = await readMail(pipe.database, id);
    if (mail === undefined) throw new Error(`no mail ${id}`);
    return mail;
  };
  const waitOf = (mail: ReadMail): number => ((mail.nextAttemptAt?.getTime() ?? 0) - Date.now()) / 1000;

  it("is sent once per cause, with its amount and the product's name", async () => {
    const id = await queue(undefined, "cause:once");
    expect(await queue(undefined, "cause:once")).toBe("");
    await send();
    expect(await send()).toBe("none");
    expect(server.received).toHaveLength(1);
    const [message] = server.received;
    expect(message).toMatchObject({
      to: "ada@example.com",
      subject: "Your payment of ¥1,250 to Acme failed",
      "h:Message-Id": `<${id}@acme.example>`,
    });
    expect(message?.text).toContain(LINK);
    expect(message?.text).toContain("Amount: ¥1,250");
    expect(await read(id)).toMatchObject({ status: "sent", attempts: 1, lastAnswer: "Queued. Thank you." });
  });

  it("ends at once when the address is refused, and an operator's retry begins another round", async () => {
    server.refuse(() => ({ status: 400, body: '{"message":"to parameter is not a valid address"}' }));
    const id = await queue();
    await send();
    const answer = "to parameter is not a valid address";
    expect(await read(id)).toMatchObject({ status: "failed", attempts: 1, lastAnswer: answer });
    server.refuse(() => ({ status: 503 }));
    await retryMail(pipe.database, id);
    await expect(retryMail(pipe.database, id)).rejects.toMatchObject({ code: "mail_not_retriable" });
    // Three attempts more, as at first.
    for (const attempt of [2, 3, 4]) {
      await dueNow();
      await send();
      expect(await read(id)).toMatchObject({ status: attempt < 4 ? "queued" : "failed", attempts: attempt });
    }
    await retryMail(pipe.database, id);
    server.refuse(undefined);
    await send();
    expect(await read(id)).toMatchObject({ status: "sent", attempts: 5 });
    expect(server.received.map((message) => message["h:Message-Id"])).toEqual([`<${id}@acme.example>`]);
    await expect(retryMail(pipe.database, id)).rejects.toMatchObject({ code: "mail_not_retriable" });
  });

  it("with a wrong key waits, warns, and goes out when the key is right, however often it was tried", async () => {
    const warnings: (LogFields | undefined)[] = [];
    const log: Log = { ...silentLog, warn: (_, fields) => void warnings.push(fields) };
    const id = await queue();
    for (let attempt = 1; attempt <= 5; attempt++) {
      await dueNow();
      await send({ log }, "some-other-key");
    }
    expect(await read(id)).toMatchObject({ status: "queued", attempts: 5, lastAnswer: "Forbidden" });
    expect(warnings).toEqual(Array.from({ length: 5 }, () => ({ count: 1, code: "http_401", status: 401 })));
    await dueNow();
    await send();
    expect(await read(id)).toMatchObject({ status: "sent", attempts: 6 });
  });

  it("waits as long as a 429 asks, and all others with it", async () => {
    server.refuse(() => ({ status: 429, headers: { "retry-after": "3600" } }));
    const options = optionsOf();
    const first = await queue();
    await sendOnce(options);
    const second = await queue();
    await sendOnce(options);
    expect(server.requests()).toBe(1);
    for (const id of [first, second]) {
      const mail = await read(id);
      expect(mail.status).toBe("queued");
      expect(waitOf(mail)).toBeGreaterThan(3500);
      expect(waitOf(mail)).toBeLessThanOrEqual(3601);
    }
  });

  it("whose process dies during the answer is sent again, under the same Message-ID", async () => {
    let release = (): void => undefined;
    server.hold(new Promise((resolve) => (release = resolve)));
    const id = await queue();
    const dying = send();
    await expect.poll(() => server.received.length).toBe(1);
    // What a killed process leaves: the lease of an attempt without an outcome, which ends by itself.
    await pipe.database.query("update mail_queue set lease = 'gone', next_attempt_at = now()");
    release();
    await dying;
    expect(await read(id)).toMatchObject({ status: "queued", attempts: 1 });
    await send();
    expect(await read(id)).toMatchObject({ status: "sent", attempts: 2 });
    expect(new Set(server.received.map((message) => message["h:Message-Id"]))).toEqual(
      new Set([`<${id}@acme.example>`]),
    );
    expect(server.received).toHaveLength(2);
  });

  it("about an invoice that was paid meanwhile is dropped, by its head", async () => {
    const invoiceOf = (id: string, status: string, type: string, created: number) => ({
      event: {
        ...event(type, newInvoice({ id, status }), { id: `evt_${id}_${status}`, apiVersion: NEW_API, created }),
      },
    });
    const seconds = Math.floor(Date.now() / 1000) - 100;
    const [paid, open] = [`in_paid_${kind}`, `in_open_${kind}`];
    await pipe.arrive([
      invoiceOf(paid, "open", "invoice.payment_failed", seconds),
      invoiceOf(open, "open", "invoice.payment_failed", seconds),
    ]);
    await pipe.drain();
    const ids: string[] = [];
    for (const id of [paid, open]) ids.push(await queue(invoiceUnpaid({ livemode: false, account: "", id })));
    await pipe.arrive([invoiceOf(paid, "paid", "invoice.paid", seconds + 50)]);
    await pipe.drain();
    await send();
    const [dropped, sent] = await Promise.all(ids.map(read));
    expect(dropped).toMatchObject({ status: "dropped", droppedBecause: "no_longer_true", content: null });
    expect(dropped?.attemptList).toMatchObject([{ outcome: "dropped" }]);
    expect(sent).toMatchObject({ status: "sent", droppedBecause: null });
    expect(server.received).toHaveLength(1);
    const { rows } = await pipe.database.query({
      text: "select fields from mails where id = $1",
      values: [dropped?.id],
    });
    expect(rows).toEqual([{ fields: null }]);
  });

  it("about a trial that was canceled or moved, or a card that was renewed, is dropped", async () => {
    const insert = (table: string, columns: string, values: string): Promise<unknown> =>
      pipe.database.query(
        `insert into ${table} (livemode, stripe_account, id, deleted, data, head_standing, head_created, head_kind,
           head_event_id, order_ambiguous, ${columns})
         values (false, '', ${values})`,
      );
    const head = "false, '{}', 0, 0, 0, 'evt_1', false";
    const trial = "status, trial_end, cancel_scheduled";
    await insert("subscriptions", trial, `'sub_as_said', ${head}, 'trialing', to_timestamp(2000000000), false`);
    await insert("subscriptions", trial, `'sub_moved', ${head}, 'trialing', to_timestamp(2000086400), false`);
    await insert("subscriptions", trial, `'sub_canceled', ${head}, 'trialing', to_timestamp(2000000000), true`);
    await insert("payment_methods", "customer_id, exp_month, exp_year", `'pm_as_said', ${head}, 'cus_1', 8, 2027`);
    await insert("payment_methods", "customer_id, exp_month, exp_year", `'pm_renewed', ${head}, 'cus_1', 8, 2031`);
    await insert("payment_methods", "customer_id, exp_month, exp_year", `'pm_detached', ${head}, null, 8, 2027`);
    const of = (id: string) => ({ livemode: false, account: "", id });
    const causes: Record<string, WantedCheck> = Object.fromEntries([
      ...["sub_as_said", "sub_moved", "sub_canceled", "sub_unknown"].map((id) => [
        id,
        trialEnds({ ...of(id), ends: 2_000_000_000 }),
      ]),
      ...["pm_as_said", "pm_renewed", "pm_detached"].map((id) => [
        id,
        cardExpires({ ...of(id), month: 8, year: 2027 }),
      ]),
    ]);
    for (const [cause, check] of Object.entries(causes)) await queue(check, cause);
    while ((await sendOnce(optionsOf())) !== "none");
    const { rows } = await pipe.database.query("select cause from mails where status = 'sent' order by cause");
    expect(rows.map(({ cause }) => cause)).toEqual(["pm_as_said", "sub_as_said"]);
    expect((await pipe.database.query("select 1 from mail_queue")).rowCount).toBe(0);
  });

  it("whose check fails, or is not known to this process, waits and is not sent", async () => {
    const id = await queue({ name: "of_a_newer_version", reference: { id: "x" } });
    const other = await queue({ name: "toString", reference: {} });
    await send();
    expect(await read(id)).toMatchObject({ status: "queued", attempts: 1 });
    expect((await read(other)).lastAnswer).toContain("does not know the check toString");
    const broken = { of_a_newer_version: () => Promise.reject(new Error("no database")) };
    await dueNow();
    await send({ checks: broken });
    expect(await read(id)).toMatchObject({ status: "queued", lastAnswer: "no database" });
    expect(server.requests()).toBe(0);
    await dueNow();
    await send({ checks: { of_a_newer_version: () => Promise.resolve(true) } });
    expect(await read(id)).toMatchObject({ status: "sent" });
  });

  it("is checked too where mails are kept", async () => {
    const checks = { yes: () => Promise.resolve(true), no: () => Promise.resolve(false) };
    const [yes, no, none] = [
      await queue({ name: "yes", reference: {} }),
      await queue({ name: "no", reference: {} }),
      await queue(),
    ];
    await send({ checks, sender: undefined });
    expect(await read(no)).toMatchObject({ status: "dropped", droppedBecause: "no_longer_true", content: null });
    for (const id of [yes, none]) expect(await read(id)).toMatchObject({ status: "kept" });
    // A mail server that comes later sends a kept mail when an operator asks.
    await send();
    expect(server.requests()).toBe(0);
    await retryMail(pipe.database, none);
    await send();
    expect(await read(none)).toMatchObject({ status: "sent", attempts: 1 });
  });

  it("says why it was dropped when it was late", async () => {
    const id = await queue();
    await pipe.database.query("update mail_queue set late_at = now() - interval '1 second'");
    await send();
    expect(await read(id)).toMatchObject({ status: "dropped", droppedBecause: "late" });
  });
});
