// Mail as the doctor sees it: whether its server can be reached, and what it refused.
import { connect } from "node:net";

import type { Config } from "../config.ts";
import { check } from "./doctor-check.ts";
import { oneLine } from "./doctor-processing.ts";
import type { Found } from "./doctor-report.ts";

const CONNECT_MS = 3_000;

export const mailServerCheck = check({
  code: "mail_server",
  title: "The mail server",
  needs: "nothing",
  look: ({ config }) => lookAtServer(config),
  judge: (facts): Found[] =>
    facts?.reason === undefined
      ? []
      : [
          {
            code: "mail_server_unreachable",
            subject: "SMTP_URL",
            values: { host: facts.host, port: facts.port, reason: facts.reason },
          },
        ],
});

interface ServerFacts {
  host: string;
  port: number;
  /** Undefined: it takes connections. */
  reason: string | undefined;
}

const SMTP_PORT = { "smtp:": 587, "smtps:": 465 } as const;

/** Mailgun is asked by each mail; what it says is told of those. */
async function lookAtServer({ mail }: Config): Promise<ServerFacts | undefined> {
  if (mail?.kind !== "smtp") return undefined;
  const { protocol, hostname, port } = new URL(mail.url.reveal());
  const host = hostname.replace(/^\[|\]$/g, "");
  const to = port === "" ? SMTP_PORT[protocol === "smtps:" ? "smtps:" : "smtp:"] : Number(port);
  return { host, port: to, reason: await whyNot(host, to) };
}

function whyNot(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(CONNECT_MS, () => {
      end(`no answer within ${CONNECT_MS / 1000} seconds`);
    });
    socket.once("connect", () => {
      end(undefined);
    });
    socket.once("error", (error) => {
      end(error.message === "" && "code" in error ? String(error.code) : error.message);
    });
  });
}

interface MailRow {
  count: number;
  id: string;
  template: string;
  reason: string | null;
}

export const mailsCheck = check({
  code: "mails",
  title: "Mails",
  needs: "database",
  look: async ({ ask, config }) => ({
    settings:
      config.mail?.kind === "mailgun"
        ? "MAILGUN_API_KEY, MAILGUN_DOMAIN and MAILGUN_SENDER_EMAIL"
        : "SMTP_URL and MAIL_FROM",
    failed: (await ask.query<MailRow>(FAILED)).rows[0],
    late: (await ask.query<Pick<MailRow, "count" | "reason">>(LATE)).rows[0],
  }),
  judge: ({ settings, failed, late }): Found[] => [
    ...(failed === undefined
      ? []
      : [
          {
            code: "mails_failed" as const,
            subject: failed.id,
            values: { ...failed, settings, reason: oneLine(failed.reason) },
          },
        ]),
    ...(late === undefined
      ? []
      : [{ code: "mails_late" as const, values: { ...late, settings, reason: oneLine(late.reason) } }]),
  ],
});

const FAILED = `
  select count(*) over () as count, mails.id, mails.template,
         (select answer from mail_attempts where mail_id = mails.id and answer is not null order by attempt desc limit 1) as reason
  from mails where status = 'failed' and ended_at > now() - interval '7 days'
  order by mails.id desc limit 1`;

const LATE = `
  select count(*) over () as count,
         (select answer from mail_attempts
          where mail_id = mail_queue.mail_id and answer is not null order by attempt desc limit 1) as reason
  from mail_queue where attempts - attempts_before >= 1 and lease is null
  order by next_attempt_at limit 1`;
