import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  MAILGUN_DOMAIN,
  MAILGUN_KEY,
  type MailgunServer,
  openMailgunServer,
} from "../../test/support/mailgun-server.ts";
import { manualClock, systemClock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import type { OutgoingMail, SendAnswer } from "./mail-sender.ts";
import { type MailgunSettings, mailgunSender } from "./mailgun.ts";

const MAIL: OutgoingMail = {
  id: "mail_1",
  to: "ada@example.com",
  subject: "Ünïcode & more",
  text: "hello\nhttps://app.example.com/?a=1&b=2\n",
  html: '<p>hello</p><a href="https://app.example.com/?a=1&amp;b=2">x</a>',
};

let server: MailgunServer;
beforeEach(async () => {
  server = await openMailgunServer();
});
afterEach(() => server.close());

const settings = (more: Partial<MailgunSettings> = {}): MailgunSettings => ({
  key: new Secret(MAILGUN_KEY),
  domain: MAILGUN_DOMAIN,
  from: "Billhook <billing@example.com>",
  apiBase: server.url,
  ...more,
});
const send = (mail = MAIL, more: Partial<MailgunSettings> = {}, limit = 10_000): Promise<SendAnswer> =>
  mailgunSender(settings(more), systemClock)(mail, AbortSignal.timeout(limit));

describe("Mailgun", () => {
  it("gets a form with both bodies, the Message-ID and no tracking", async () => {
    expect(await send()).toEqual({ outcome: "sent", answer: "Queued. Thank you." });
    expect(server.received).toEqual([
      {
        from: "Billhook <billing@example.com>",
        to: MAIL.to,
        subject: MAIL.subject,
        // A form ends its lines with CRLF.
        text: MAIL.text.replaceAll("\n", "\r\n"),
        html: MAIL.html,
        "h:Message-Id": "<mail_1@example.com>",
        "h:Auto-Submitted": "auto-generated",
        "h:X-Auto-Response-Suppress": "All",
        "o:tracking": "no",
        "o:tracking-clicks": "no",
        "o:tracking-opens": "no",
        "v:mail_id": "mail_1",
      },
    ]);
  });

  it("that refuses the mail ends it; that refuses our settings is asked again", async () => {
    const told = async (status: number, body = JSON.stringify({ message: "no" })): Promise<SendAnswer> => {
      server.refuse(() => ({ status, body }));
      return send();
    };
    for (const status of [400, 413, 422])
      expect(await told(status)).toEqual({ outcome: "refused", code: `http_${status}`, status, answer: "no" });
    for (const status of [301, 401, 402, 403, 404])
      expect(await told(status)).toMatchObject({ outcome: "retry", status, blameless: "settings" });
    for (const status of [408, 500, 502, 503]) {
      const answer = await told(status, "<html>a page</html>");
      expect(answer).toEqual({ outcome: "retry", code: `http_${status}`, status, answer: "<html>a page</html>" });
    }
    server.refuse(undefined);
    const key = new Secret("the-wrong-key-of-ours");
    const refused = await send(MAIL, { key });
    expect(refused).toMatchObject({ outcome: "retry", status: 401, blameless: "settings" });
    expect(JSON.stringify(refused)).not.toContain("wrong-key");
    expect(await send(MAIL, { domain: "other.example/../x" })).toMatchObject({ status: 404, blameless: "settings" });
    expect(server.received).toEqual([]);
  });

  it("is not followed elsewhere with our key", async () => {
    const other = await openMailgunServer();
    server.refuse(() => ({ status: 307, headers: { location: `${other.url}/v3/${MAILGUN_DOMAIN}/messages` } }));
    expect(await send()).toMatchObject({ outcome: "retry", blameless: "settings" });
    expect(other.requests()).toBe(0);
    await other.close();
  });

  it("is asked nothing for as long as a 429 says", async () => {
    const clock = manualClock();
    const sender = mailgunSender(settings(), clock);
    const next = (): Promise<SendAnswer> => sender(MAIL, AbortSignal.timeout(10_000));
    server.refuse(() => ({ status: 429, body: '{"message":"slow down"}', headers: { "retry-after": "120" } }));
    expect(await next()).toMatchObject({ outcome: "retry", status: 429, blameless: "rate", after: 120 });
    server.refuse(undefined);
    clock.advance(20_000);
    expect(await next()).toMatchObject({ outcome: "retry", status: 429, blameless: "rate", after: 100 });
    expect(server.requests()).toBe(1);
    clock.advance(100_000);
    expect(await next()).toMatchObject({ outcome: "sent" });
    const date = new Date(1_800_000_000_000).toUTCString();
    const later = new Date(1_800_000_045_000).toUTCString();
    server.refuse(() => ({ status: 503, headers: { date, "retry-after": later } }));
    expect(await next()).toMatchObject({ outcome: "retry", status: 503, after: 45 });
  });

  it("that is silent or away ends the attempt, not the worker", async () => {
    server.hold(new Promise(() => undefined));
    expect(await send(MAIL, {}, 300)).toMatchObject({ outcome: "retry", code: "no_answer", status: undefined });
    const away = await send(MAIL, { apiBase: "http://127.0.0.1:1" });
    expect(away).toMatchObject({ outcome: "retry", code: "unreachable" });
  });

  it("gets one recipient, whatever the address says", async () => {
    for (const to of ["a@x.example, b@x.example", "a@x.example>\r\nTo: <b@x.example"])
      expect(await send({ ...MAIL, to })).toMatchObject({ outcome: "refused", code: "recipient" });
    expect(server.requests()).toBe(0);
  });
});

it("a sender's address that is none is refused with a sentence that quotes no secret", () => {
  const wrong = (): unknown => mailgunSender(settings({ from: "nobody" }), systemClock);
  expect(wrong).toThrow("Name <address>");
  expect(wrong).not.toThrow(MAILGUN_KEY);
});
