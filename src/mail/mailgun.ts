// Sending one mail by Mailgun's HTTP API: one request, one attempt, and what its answer means for the mail.
// By Node's own fetch, not by mailgun.js: docs/decisions/0010-mail-templates.md has the figures.
import type { Clock } from "../base/clock.ts";
import type { Secret } from "../base/secret.ts";
import {
  answerLine,
  domainOf,
  type MailSender,
  messageId,
  type OutgoingMail,
  ROBOT_HEADERS,
  type SendAnswer,
  type SendFailure,
} from "./mail-sender.ts";
import { isOneAddress } from "./queue-mail.ts";

export interface MailgunSettings {
  /** An account's key or a domain's sending key. */
  key: Secret;
  /** The domain that Mailgun sends for. */
  domain: string;
  /** `Name <address>`, or an address alone. */
  from: string;
  /** `https://api.mailgun.net`, or `https://api.eu.mailgun.net` for domains made in the EU. */
  apiBase: string;
}

/** Throws, with a sentence that quotes no secret, when the sender's address is none. */
export function mailgunSender(settings: MailgunSettings, clock: Clock): MailSender {
  const address = `${settings.apiBase}/v3/${encodeURIComponent(settings.domain)}/messages`;
  const authorization = `Basic ${Buffer.from(`api:${settings.key.reveal()}`).toString("base64")}`;
  const domain = domainOf(settings.from);
  // Asked to wait, all mails wait: each of them would be refused, and counted against us.
  let quietUntil = 0;
  return async (mail, signal) => {
    const quiet = Math.ceil((quietUntil - clock.monotonic()) / 1000);
    if (quiet > 0)
      return { ...failure("rate_limited", 429, "waiting as Mailgun asked"), blameless: "rate", after: quiet };
    // Mailgun reads `to` as a list: a comma would be a second recipient.
    if (!isOneAddress(mail.to)) return { ...failure("recipient", undefined, "not one address"), outcome: "refused" };
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { authorization, accept: "application/json" },
        body: formOf(mail, settings.from, domain),
        // Whoever is named there would get the key.
        redirect: "manual",
        signal,
      });
      const meant = answerOf(answer.status, sentenceOf(await answer.text()), secondsToWait(answer.headers));
      if (meant.outcome === "retry" && meant.blameless === "rate") {
        quietUntil = clock.monotonic() + (meant.after ?? 0) * 1000;
      }
      return meant;
    } catch (error) {
      return failure(signal.aborted ? "no_answer" : "unreachable", undefined, causeOf(error));
    }
  };
}

function formOf(mail: OutgoingMail, from: string, domain: string): FormData {
  const form = new FormData();
  const fields: Record<string, string> = {
    from,
    to: mail.to,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    "h:Message-Id": messageId(mail.id, domain),
    ...Object.fromEntries(Object.entries(ROBOT_HEADERS).map(([name, value]) => [`h:${name}`, value])),
    // Tracking rewrites links: a one-time link would go through Mailgun, and its host would be another.
    "o:tracking": "no",
    "o:tracking-clicks": "no",
    "o:tracking-opens": "no",
    // Comes back in Mailgun's own logs and webhooks; one mail, one cause, one id.
    "v:mail_id": mail.id,
  };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

/** By Mailgun's list of response codes. */
function answerOf(status: number, sentence: string, after: number | undefined): SendAnswer {
  if (status >= 200 && status < 300) return { outcome: "sent", answer: sentence };
  const failed = { ...failure(`http_${String(status)}`, status, sentence), ...(after === undefined ? {} : { after }) };
  // About this mail: an address that is none, a message that is too large.
  if (status === 400 || status === 413 || status === 422) return { ...failed, outcome: "refused" };
  if (status === 429) return { ...failed, blameless: "rate" };
  // Key, payment, right, domain or address: put right while mails wait.
  if (status < 500 && status !== 408) return { ...failed, blameless: "settings" };
  return failed;
}

function failure(code: string, status: number | undefined, answer: string): SendFailure {
  return { outcome: "retry", code, status, answer: answerLine(answer) };
}

/** Mailgun's own words, out of `{"id": …, "message": …}` or a plain text. */
function sentenceOf(body: string): string {
  try {
    const { message }: { message?: unknown } = Object(JSON.parse(body)) as object;
    if (typeof message === "string") return answerLine(message);
  } catch {
    // Not JSON: a proxy's page, or nothing.
  }
  return answerLine(body);
}

/** Of Retry-After: seconds, or a time, which is compared with the server's own. */
function secondsToWait(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const seconds = Math.ceil((Date.parse(text) - Date.parse(headers.get("date") ?? "")) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** Node's fetch says only that it failed; its cause says why. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : "the request failed";
}
