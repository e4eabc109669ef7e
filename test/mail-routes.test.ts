// The operator's view of mails through the door, on both databases: list, retrieve, try again, and how each mail looks.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import type { MailSender } from "../src/mail/mail-sender.ts";
import { queueMail } from "../src/mail/queue-mail.ts";
import { sendOnce } from "../src/mail/send-mail.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { newEmail, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("an operator's mails, %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(() => door.close());

  const work = (sender?: MailSender): Promise<unknown> =>
    sendOnce({
      database: door.pipe.database,
      clock: systemClock,
      log: silentLog,
      sender,
      leaseSeconds: 30,
      maxAttempts: 3,
      newLease: () => newId("node"),
      metrics: { attempted: () => undefined },
    });
  const refusing: MailSender = () =>
    Promise.resolve({ outcome: "refused", code: "x", status: 550, answer: "no such user" });
  const list = async (query: string): Promise<Record<string, unknown>[]> => {
    const { status, json } = await door.admin("GET", `mails/?${query}`);
    expect(status).toBe(200);
    return json.data as Record<string, unknown>[];
  };
  const address = encodeURIComponent;

  it("show a stranger in development the link that verifies the address, which works", async () => {
    const { email } = await registerTenant(door);
    await work();
    const [mail] = await list(`to=${address(email)}&template=verify_address&status=kept`);
    expect(mail).toMatchObject({ to: email, status: "kept", attempts: 0, dropped_because: null, last_answer: null });
    const { status, json } = await door.admin("GET", `mails/${String(mail?.id)}/`);
    expect(status).toBe(200);
    const { text, html, subject } = json.content as { text: string; html: string; subject: string };
    expect(subject).toBe("Confirm your e-mail address");
    const token = /#token=(\S+)/.exec(text)?.[1] ?? "";
    expect(html).toContain(token);
    const verified = await send(door, "POST", "/api/v1/auth/email/verify/", { body: { token } });
    expect(verified.status).toBe(200);
  });

  it("hide one-time links in production, and show others", async () => {
    const { email } = await registerTenant(door);
    const to = newEmail();
    await queueMail(door.pipe.database, {
      ...{ tenantId: null, cause: `credits:${to}`, to, template: "credits_added" },
      fields: { link: "https://app.example.com/credits?page=1", credits: 5 },
    });
    await work();
    const production = await openDoor(kind, {
      deps: { database: door.pipe.database, mail: { productName: "Acme", showsOneTimeLinks: false } },
    });
    const textTo = async (person: string): Promise<string> => {
      const [mail] = await list(`to=${address(person)}`);
      const { json } = await production.admin("GET", `mails/${String(mail?.id)}/`);
      expect(JSON.stringify(json)).not.toContain("token");
      return (json.content as { text: string }).text;
    };
    expect(await textTo(email)).toMatch(/http:\/\/localhost:8000\/hidden\n[^]*-- \nAcme\n$/);
    expect(await textTo(to)).toContain("https://app.example.com/credits?page=1");
    await production.close();
  });

  it("that failed are tried again, unless their link was a person's key", async () => {
    const [to, person] = [newEmail(), newEmail()];
    const { database } = door.pipe;
    const ids = [
      await queueMail(database, {
        ...{ tenantId: null, cause: `credits:${to}`, to, template: "credits_added" },
        fields: { link: "https://app.example.com/credits", credits: 5 },
      }),
      await queueMail(database, {
        ...{ tenantId: null, cause: `reset:${person}`, to: person, template: "reset_password" },
        fields: { link: "https://app.example.com/reset#token=abc" },
      }),
    ];
    await work(refusing);
    const failed = await list(`to=${address(to)}`);
    expect(failed).toMatchObject([
      { status: "failed", attempts: 1, last_answer: "no such user", next_attempt_at: null },
    ]);
    const again = await door.admin("POST", `mails/${String(ids[0])}/retry/`);
    expect([again.status, again.json]).toEqual([202, { id: ids[0], status: "queued" }]);
    const twice = await door.admin("POST", `mails/${String(ids[0])}/retry/`);
    expect([twice.status, twice.json.code]).toEqual([409, "mail_not_retriable"]);
    expect(twice.json.message).toContain("this one is queued");
    const gone = await door.admin("POST", `mails/${String(ids[1])}/retry/`);
    expect([gone.status, gone.json.code]).toEqual([409, "mail_not_retriable"]);
    expect(gone.json.message).toContain("asks for a new one");
    expect((await door.admin("POST", "mails/mail_none/retry/")).status).toBe(404);
    let sent = 0;
    await work(() => {
      sent++;
      return Promise.resolve({ outcome: "sent", answer: "250 ok" });
    });
    expect(sent).toBe(1);
    const { json } = await door.admin("GET", `mails/${String(ids[0])}/`);
    expect(json).toMatchObject({ status: "sent", attempts: 2, content: null });
    expect(json.attempt_list).toMatchObject([
      { attempt: 1, outcome: "refused" },
      { attempt: 2, outcome: "sent" },
    ]);
  });

  it("are listed by pages, newest first, and a bad filter says so", async () => {
    const to = newEmail();
    const ids: (string | undefined)[] = [];
    for (let index = 0; index < 3; index++)
      ids.unshift(
        await queueMail(door.pipe.database, {
          ...{ tenantId: null, cause: `page:${to}:${index}`, to, template: "welcome" },
          fields: { link: "https://app.example.com/x" },
        }),
      );
    const first = await door.admin("GET", `mails/?to=${address(to)}&limit=2`);
    expect(first.json).toMatchObject({ has_more: true, data: [{ id: ids[0] }, { id: ids[1] }] });
    const rest = await list(`to=${address(to)}&limit=2&cursor=${String(first.json.next_cursor)}`);
    expect(rest.map(({ id }) => id)).toEqual([ids[2]]);
    expect(await list(`to=${address(to)}&status=sent`)).toEqual([]);
    expect(await list(`to=${address(to)}&template=invite`)).toEqual([]);
    for (const query of ["status=lost", "template=none", "cursor=x'", "limit=0", "to=%00", "other=1"])
      expect((await door.admin("GET", `mails/?${query}`)).status, query).toBe(400);
    expect((await door.admin("GET", "mails/none/")).status).toBe(404);
  });

  it("have an example each, for the dashboard's preview", async () => {
    const { status, json } = await door.admin("GET", "mail-templates/");
    expect(status).toBe(200);
    const data = json.data as { template: string; example: { subject: string; html: string } }[];
    expect(data.map(({ template }) => template)).toContain("connected_invoice_paid");
    expect(data).toHaveLength(10);
    for (const { example } of data) expect(example.html).toMatch(/^<!DOCTYPE html/);
  });
});
