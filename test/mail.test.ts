// Mails, on both databases, by real SMTP: queued with their cause, sent once, retried, ended, dropped, kept.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { type Log, type LogFields, silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import type { Database } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { openServer } from "../src/db/server.ts";
import type { MailSender } from "../src/mail/mail-sender.ts";
import { deleteOldMails } from "../src/mail/mail-tables.ts";
import { listMails, readMail } from "../src/mail/mailbox.ts";
import { queueMail } from "../src/mail/queue-mail.ts";
import { sendOnce, type SendOptions } from "../src/mail/send-mail.ts";
import { smtpSender } from "../src/mail/smtp.ts";
import { claimLoop } from "../src/work/claim-loop.ts";
import { type MailServer, openMailServer } from "./support/mail-server.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";
import { readyDatabase, readyFolder } from "./support/ready-database.ts";

const FROM = "Billhook <billing@example.com>";
const LINK = "https://app.example.com/reset?token=tok_in_the_link&x=1";

function optionsOf(database: Database, sender: MailSender | undefined, log: Log = silentLog): SendOptions {
  return {
    database,
    clock: systemClock,
    log,
    sender,
    leaseSeconds: 30,
    maxAttempts: 3,
    newLease: () => newId("node"),
    metrics: { attempted: () => undefined },
  };
}

let next = 0;
async function queueReset(database: Database, to = "ada@example.com", cause = `reset:${next++}`): Promise<string> {
  const id = await database.transaction((tx) =>
    queueMail(tx, { tenantId: "ten_1", cause, to, template: "reset_password", fields: { link: LINK, name: "Ada" } }),
  );
  if (id === undefined) throw new Error("the cause had its mail already");
  return id;
}

describe.each(BOTH)("mail, %s database", (kind) => {
  let pipe: Pipe;
  let server: MailServer;
  let sender: MailSender;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());
  beforeEach(async () => {
    server = await openMailServer();
    sender = smtpSender({ from: FROM, host: "127.0.0.1", port: server.port });
  });
  afterEach(async () => {
    await server.close();
    await pipe.database.query("delete from mail_queue");
    await pipe.database.query("delete from mails");
  });

  const send = (): Promise<unknown> => sendOnce(optionsOf(pipe.database, sender));
  const dueNow = (): Promise<unknown> => pipe.database.query("update mail_queue set next_attempt_at = now()");
  const fieldsOf = async (id: string): Promise<unknown> =>
    (await pipe.database.query({ text: "select fields from mails where id = $1", values: [id] })).rows[0]?.fields;

  it("arrives once, with the right headers and both bodies, and leaves its link nowhere", async () => {
    const id = await queueReset(pipe.database);
    expect(await send()).toBe("some");
    expect(await send()).toBe("none");
    expect(server.received).toHaveLength(1);
    const [mail] = server.received;
    expect(mail).toMatchObject({ from: "billing@example.com", to: ["ada@example.com"] });
    expect(Object.fromEntries(mail?.headers ?? [])).toMatchObject({
      from: FROM,
      to: "ada@example.com",
      subject: "Set a new password",
      "message-id": `<${id}@example.com>`,
      "auto-submitted": "auto-generated",
      "mime-version": "1.0",
    });
    expect(mail?.headers.get("content-type")).toMatch(/^multipart\/alternative/);
    expect(mail?.body).toContain("text/plain");
    expect(mail?.body).toContain("Hello Ada,");
    expect(mail?.body).toContain(LINK);
    expect(mail?.body).toContain(`<a href="${LINK.replaceAll("&", "&amp;")}"`);
    expect(await readMail(pipe.database, id)).toMatchObject({ status: "sent", attempts: 1, content: null });
    expect(await fieldsOf(id)).toBeNull();
  });

  it("is sent if, and only if, the transaction commits, and once per cause", async () => {
    const wanted = {
      tenantId: null,
      cause: "verify:usr_1",
      to: "ada@example.com",
      template: "verify_address",
      fields: { link: LINK },
    } as const;
    await expect(
      pipe.database.transaction(async (tx) => {
        await queueMail(tx, wanted);
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    await send();
    expect(server.received).toHaveLength(0);
    const queue = (): Promise<string | undefined> => pipe.database.transaction((tx) => queueMail(tx, wanted));
    const ids = [await queue(), await queue()];
    await send();
    expect([...ids, await queue()]).toEqual([expect.stringMatching(/^mail_/), undefined, undefined]);
    await send();
    expect(server.received).toHaveLength(1);
  });

  it("refuses, before it is queued, what could never be sent", async () => {
    const to = (address: string): Promise<unknown> => queueReset(pipe.database, address);
    for (const address of ["", "ada", "a@b, c@d", "a@b>\r\nRCPT TO:<c@d", "a@b\r\nBcc: c@d", "Ada <a@b>", "a@b\0c"])
      await expect(to(address)).rejects.toThrow("not for one mail address");
    const fields = { link: "javascript:alert(1)" };
    await expect(
      queueMail(pipe.database, { tenantId: null, cause: "x", to: "a@b.c", template: "verify_address", fields }),
    ).rejects.toThrow("no absolute http address");
  });

  it("is tried again after a 4xx, later each time, under the same Message-ID", async () => {
    const id = await queueReset(pipe.database);
    server.refuse({ message: () => 451 });
    await send();
    expect(await send()).toBe("none");
    const waiting = await readMail(pipe.database, id);
    expect(waiting).toMatchObject({ status: "queued", attempts: 1, lastAnswer: expect.stringContaining("451") });
    const wait = (waiting?.nextAttemptAt?.getTime() ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(20_000);
    expect(wait).toBeLessThan(31_000);
    server.refuse({});
    await dueNow();
    await send();
    expect(server.received.map(({ headers }) => headers.get("message-id"))).toEqual([`<${id}@example.com>`]);
    const { attemptList } = (await readMail(pipe.database, id)) ?? {};
    expect(attemptList?.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, "retry"],
      [2, "sent"],
    ]);
  });

  it("ends at once after a 5xx about the recipient or the message", async () => {
    server.refuse({ recipient: (to) => (to.startsWith("gone") ? 550 : undefined), message: () => 554 });
    const ids = [await queueReset(pipe.database, "gone@example.com"), await queueReset(pipe.database)];
    await send();
    for (const [index, id] of ids.entries()) {
      const mail = await readMail(pipe.database, id);
      expect(mail).toMatchObject({ status: "failed", attempts: 1, nextAttemptAt: null });
      expect(mail?.lastAnswer).toContain(index === 0 ? "550" : "554");
      expect(await fieldsOf(id)).toBeNull();
    }
    expect((await listMails(pipe.database, { status: "failed", limit: 10 })).items.map(({ id }) => id)).toEqual(
      ids.toReversed(),
    );
  });

  it("waits while the settings are wrong, and fails, visibly, after the last attempt", async () => {
    const closed = smtpSender({ from: FROM, url: new Secret("smtp://127.0.0.1:1") });
    const id = await queueReset(pipe.database);
    for (const attempt of [1, 2, 3]) {
      await dueNow();
      await sendOnce(optionsOf(pipe.database, closed));
      expect(await readMail(pipe.database, id)).toMatchObject({
        status: attempt < 3 ? "queued" : "failed",
        attempts: attempt,
        lastAnswer: expect.stringContaining("ECONNREFUSED"),
      });
    }
  });

  it("is dropped when it is late", async () => {
    const id = await queueReset(pipe.database);
    await pipe.database.query("update mail_queue set late_at = now() - interval '1 second'");
    await send();
    expect(server.connections()).toBe(0);
    expect(await readMail(pipe.database, id)).toMatchObject({ status: "dropped", attempts: 0 });
    expect(await fieldsOf(id)).toBeNull();
    const invite = await pipe.database.transaction((tx) =>
      queueMail(tx, {
        tenantId: "ten_1",
        cause: "invite:1",
        to: "bob@example.com",
        template: "invite",
        fields: { link: LINK, company_name: "Acme", role: "admin" },
      }),
    );
    const { rows } = await pipe.database.query({
      text: "select extract(epoch from late_at - now())::int / 60 as minutes from mail_queue where mail_id = $1",
      values: [invite],
    });
    expect(rows[0]?.minutes).toBeGreaterThan(1430);
    expect(rows[0]?.minutes).toBeLessThanOrEqual(1440);
  });

  it("is kept and read here without a mail server, and never sent when there is one later", async () => {
    const id = await queueReset(pipe.database);
    expect((await readMail(pipe.database, id))?.content).toBeNull();
    await sendOnce(optionsOf(pipe.database, undefined));
    const kept = await readMail(pipe.database, id);
    expect(kept).toMatchObject({ status: "kept", to: "ada@example.com", attempts: 0 });
    expect(kept?.content?.subject).toBe("Set a new password");
    expect(kept?.content?.text).toContain(LINK);
    await send();
    expect(server.received).toHaveLength(0);
  });

  it("is sent once by two workers at the same time", async () => {
    const count = 60;
    for (let index = 0; index < count; index++) await queueReset(pipe.database, `p${index}@example.com`);
    const loops = [1, 2].map((worker) =>
      claimLoop({
        name: `mails ${worker}`,
        run: () => sendOnce(optionsOf(pipe.database, sender)),
        concurrency: 1,
        pollEvery: 20,
        gatherFor: () => 0,
        pauseAfterError: 1000,
        onError: (error) => expect.fail(String(error)),
      }),
    );
    await server.got(count);
    await Promise.all(loops.map((loop) => loop.stop()));
    expect(new Set(server.received.map(({ to }) => to[0])).size).toBe(count);
    expect(server.received).toHaveLength(count);
    expect(server.connections()).toBe(count);
    const { rows } = await pipe.database.query("select status, count(*) as count from mails group by status");
    expect(rows).toEqual([{ status: "sent", count }]);
    expect((await pipe.database.query("select 1 from mail_queue")).rowCount).toBe(0);
  });

  it("whose lease was lost is left to whoever has it", async () => {
    const id = await queueReset(pipe.database);
    const thief: MailSender = async () => {
      await pipe.database.query("update mail_queue set lease = 'another'");
      return { outcome: "refused", code: "EENVELOPE", status: 550, answer: "550 no" };
    };
    await sendOnce(optionsOf(pipe.database, thief));
    expect(await readMail(pipe.database, id)).toMatchObject({ status: "queued", attempts: 1 });
  });

  it("lists by pages, newest first, and forgets the old", async () => {
    const ids = [];
    for (let index = 0; index < 5; index++) ids.push(await queueReset(pipe.database));
    const first = await listMails(pipe.database, { limit: 3 });
    const second = await listMails(pipe.database, { limit: 3, cursor: first.next_cursor ?? undefined });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids.toReversed());
    expect(second.next_cursor).toBeNull();
    expect((await listMails(pipe.database, { tenantId: "ten_2", limit: 3 })).items).toEqual([]);
    await expect(listMails(pipe.database, { limit: 3, cursor: "'; drop" })).rejects.toMatchObject({
      code: "invalid_request",
    });
    await send();
    expect(await deleteOldMails(pipe.database, 30)).toBe(0);
    await pipe.database.query("update mails set ended_at = now() - interval '31 days'");
    expect(await deleteOldMails(pipe.database, 30)).toBe(5);
  });

  it("leaves no address, link or answer in the log", async () => {
    const lines: unknown[] = [];
    const take = (message: string, fields?: LogFields): void => void lines.push([message, fields]);
    const log: Log = { ...silentLog, unit: take, info: take, warn: take, error: take };
    server.refuse({ recipient: () => 550 });
    const id = await queueReset(pipe.database);
    await sendOnce(optionsOf(pipe.database, sender, log));
    const written = JSON.stringify(lines);
    expect(written).toContain(id);
    expect(written).toContain('"status":550');
    expect(written).not.toMatch(/example\.com|token|Ada|not today/);
  });
});

describe.each(BOTH)("a sender that is killed, %s database", (kind) => {
  it("during the server's answer: the mail is sent again, once, under the same Message-ID", async () => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-mail-"));
    const place = kind === "embedded" ? await readyFolder(join(folder, "data")) : await readyDatabase();
    const open = (): Promise<Database> =>
      kind === "embedded" ? openEmbedded(place) : openServer({ url: place, poolSize: 2 });
    const server = await openMailServer();
    let release = (): void => undefined;
    server.hold(new Promise((resolve) => (release = resolve)));
    const before = await open();
    const id = await queueReset(before, "ada@example.com", "reset:killed");
    await before.close();
    const file = fileURLToPath(new URL("./support/mail-sender.ts", import.meta.url));
    const child = spawn(process.execPath, [file, place, String(server.port)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const ended = once(child, "exit");
    try {
      await server.got(1);
      child.kill("SIGKILL");
      await ended;
      release();
      server.hold(undefined);
      const database = await open();
      const sender = smtpSender({ from: FROM, host: "127.0.0.1", port: server.port });
      // The dead process's lease still holds: nobody takes the mail before it ends.
      expect(await sendOnce(optionsOf(database, sender))).toBe("none");
      await database.query("update mail_queue set next_attempt_at = now()");
      await sendOnce(optionsOf(database, sender));
      expect(await sendOnce(optionsOf(database, sender))).toBe("none");
      expect(server.received.map(({ headers }) => headers.get("message-id"))).toEqual(
        Array.from({ length: 2 }, () => `<${id}@example.com>`),
      );
      const mail = await readMail(database, id);
      expect(mail).toMatchObject({ status: "sent", attempts: 2 });
      expect(mail?.attemptList.map(({ outcome }) => outcome)).toEqual([null, "sent"]);
      await database.close();
    } finally {
      child.kill("SIGKILL");
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
