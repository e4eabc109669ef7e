// The mail settings: by SMTP, by Mailgun, or kept and read here.
import type { ConfigProblem } from "./base/config-error.ts";
import { Secret } from "./base/secret.ts";
import type { Variable } from "./base/settings.ts";
import { VARIABLES } from "./config-variables.ts";

export type MailServerConfig =
  | { kind: "smtp"; url: Secret; from: string }
  | { kind: "mailgun"; key: Secret; domain: string; from: string; apiBase: string };

export interface MailConfig {
  /** Undefined: mails are kept and not sent. */
  mail: MailServerConfig | undefined;
  /** What mails call the product; undefined: they name none. */
  productName: string | undefined;
  /** Mail people whose payment failed. Off while Stripe does: two mails about one payment confuse. */
  paymentFailedMails: boolean;
}

type Read = <Value, Default>(variable: Variable<Value, Default>) => Value | Default;

export function mailConfig(read: Read): MailConfig {
  const [url, smtpFrom] = [read(VARIABLES.smtpUrl), read(VARIABLES.mailFrom)];
  const [key, domain, from] = [read(VARIABLES.mailgunKey), read(VARIABLES.mailgunDomain), read(VARIABLES.mailgunFrom)];
  const apiBase = read(VARIABLES.mailgunApiBase);
  const smtp: MailServerConfig | undefined =
    url === undefined || smtpFrom === undefined ? undefined : { kind: "smtp", url: new Secret(url), from: smtpFrom };
  const mailgun: MailServerConfig | undefined =
    key === undefined || domain === undefined || from === undefined
      ? undefined
      : { kind: "mailgun", key: new Secret(key), domain, from, apiBase };
  return {
    mail: smtp ?? mailgun,
    productName: read(VARIABLES.productName),
    paymentFailedMails: read(VARIABLES.paymentFailedMails) === "on",
  };
}

const SMTP = ["SMTP_URL", "MAIL_FROM"];
const MAILGUN = ["MAILGUN_API_KEY", "MAILGUN_DOMAIN", "MAILGUN_SENDER_EMAIL"];

/** What is there but does not fit together: half of a way to send, or two ways. */
export function mailProblems(
  env: Readonly<Record<string, string | undefined>>,
  { mail, production }: { mail: MailServerConfig | undefined; production: boolean },
): ConfigProblem[] {
  const setOf = (names: readonly string[]): string[] => names.filter((name) => env[name] !== undefined);
  const [smtp, mailgun] = [setOf(SMTP), setOf([...MAILGUN, "MAILGUN_API_BASE"])];
  if (smtp.length > 0 && mailgun.length > 0) {
    const problem = `${smtp.join(" and ")} and ${mailgun.join(", ")} are both set, and mail goes one way: remove the one or the other.`;
    return [{ variable: smtp[0] ?? "", problem }];
  }
  const problems: ConfigProblem[] = [];
  for (const [found, whole] of [
    [smtp, SMTP],
    [mailgun, MAILGUN],
  ] as const) {
    const lacking = whole.filter((name) => env[name] === undefined);
    if (found.length === 0 || lacking.length === 0) continue;
    const problem = `${whole.join(", ").replace(/, (\w+)$/, " and $1")} belong together, and ${lacking.join(" and ")} ${lacking.length === 1 ? "is" : "are"} missing: set all, or remove all and mails are kept and not sent.`;
    problems.push({ variable: lacking[0] ?? "", problem });
  }
  if (production && mail?.kind === "mailgun" && mail.apiBase.startsWith("http:")) {
    problems.push({
      variable: "MAILGUN_API_BASE",
      problem: "in production it must be https, or the key travels in the clear.",
    });
  }
  return problems;
}
