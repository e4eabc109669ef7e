// What every way of sending a mail takes and answers.
import type { RenderedMail } from "./templates.ts";

/** sent: the server took it · refused: it never will · retry: try again later */
export type SendAnswer = { outcome: "sent"; answer: string } | SendFailure;

export interface SendFailure {
  outcome: "refused" | "retry";
  code: string;
  /** SMTP's or HTTP's; undefined: there was no answer. */
  status: number | undefined;
  answer: string;
  /** The fault is not the mail's but our settings' or our rate's: it waits as long as it is worth sending. */
  blameless?: "settings" | "rate";
  /** Seconds that the server asks us to wait. */
  after?: number;
}

export interface OutgoingMail extends RenderedMail {
  id: string;
  to: string;
}

/** Never throws: what goes wrong is an answer. `signal` ends the attempt, whose fate is then unknown: `retry`. */
export type MailSender = (mail: OutgoingMail, signal: AbortSignal) => Promise<SendAnswer>;

/** Asks out-of-office robots not to answer (RFC 3834, and Microsoft's own). */
export const ROBOT_HEADERS: Readonly<Record<string, string>> = {
  "Auto-Submitted": "auto-generated",
  "X-Auto-Response-Suppress": "All",
};

/** The same at every attempt: a mail server or client that gets it twice can tell. */
export function messageId(mailId: string, domain: string): string {
  return `<${mailId}@${domain}>`;
}

/** Throws when `from` is not `Name <address>` or an address. */
export function domainOf(from: string): string {
  const domain = /@([^\s<>@"]+)>?\s*$/.exec(from)?.[1];
  if (domain === undefined || /[\r\n]/.test(from))
    throw new Error("the sender's address is not of the form `Name <address>`: correct it");
  return domain;
}

const LONGEST_ANSWER = 500;

/** A server's answer is foreign text: one line that PostgreSQL can store. */
export function answerLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, " ")
    .slice(0, LONGEST_ANSWER)
    .toWellFormed();
}
