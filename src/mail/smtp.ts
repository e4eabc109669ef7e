// Sending one mail by SMTP: one connection, one attempt, and what its answer means for the mail.
import type { NodemailerError, SendMailOptions, SMTPTransportOptions } from "nodemailer";

import type { Secret } from "../base/secret.ts";
import {
  answerLine,
  domainOf,
  type MailSender,
  messageId,
  type OutgoingMail,
  ROBOT_HEADERS,
  type SendAnswer,
} from "./mail-sender.ts";

export interface SmtpSettings {
  /** `Name <address>`, or an address alone. */
  from: string;
  /** `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte. Instead of the fields below. */
  url?: Secret;
  host?: string;
  port?: number;
  /** TLS from the first byte; default: when the port is 465. */
  secure?: boolean;
  user?: string;
  pass?: Secret;
}

const CONNECT_TIMEOUT = 10_000;
const SILENCE_TIMEOUT = 20_000;

/** Throws, with a sentence that quotes no secret, when the settings are wrong. */
export function smtpSender(settings: SmtpSettings): MailSender {
  const server = settings.url === undefined ? serverOfFields(settings) : serverOfUrl(settings.url.reveal());
  const domain = domainOf(settings.from);
  const options: SMTPTransportOptions = {
    host: server.host,
    port: server.port,
    secure: server.secure,
    // A password goes in the clear to nobody but this machine. A relay that asks for none may have no TLS.
    requireTLS: server.auth !== undefined && !server.secure && !isLoopback(server.host),
    ...(server.auth === undefined ? {} : { auth: server.auth }),
    connectionTimeout: CONNECT_TIMEOUT,
    greetingTimeout: CONNECT_TIMEOUT,
    dnsTimeout: CONNECT_TIMEOUT,
    socketTimeout: SILENCE_TIMEOUT,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const open = async () => (await import("nodemailer")).createTransport(options);
  // With the first mail: many processes send none.
  let opened: ReturnType<typeof open> | undefined;
  return async (mail, signal) => {
    try {
      opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      const transport = await opened;
      const { response } = await transport.sendMail({ ...mimeOf(mail, settings.from, domain), signal });
      return { outcome: "sent", answer: answerLine(response) };
    } catch (error) {
      return answerOf(error);
    }
  };
}

function mimeOf(mail: OutgoingMail, from: string, domain: string): SendMailOptions {
  return {
    messageId: messageId(mail.id, domain),
    from,
    // An object is one recipient, whatever its text.
    to: { name: "", address: mail.to },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: ROBOT_HEADERS,
  };
}

interface SmtpServer {
  host: string;
  port: number;
  secure: boolean;
  auth: { user: string; pass: string } | undefined;
}

function serverOfFields({ host, port, secure, user, pass }: SmtpSettings): SmtpServer {
  if (host === undefined || host === "") throw new Error("the mail server has no host: give its url or its host");
  if ((user === undefined) !== (pass === undefined))
    throw new Error("the mail server's user and password go together: give both or neither");
  const tls = secure ?? port === 465;
  return {
    host,
    port: port ?? (tls ? 465 : 587),
    secure: tls,
    auth: user === undefined || pass === undefined ? undefined : { user, pass: pass.reveal() },
  };
}

function serverOfUrl(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url?.protocol === "smtp:" || url?.protocol === "smtps:";
  // Options in the query could turn on a log of what is sent.
  if (
    url === undefined ||
    !known ||
    url.hostname === "" ||
    url.search !== "" ||
    url.hash !== "" ||
    url.pathname.length > 1
  )
    throw new Error("the mail server's address is not of the form smtp://user:password@host:port: correct it");
  if ((url.username === "") !== (url.password === ""))
    throw new Error("the mail server's user and password go together: give both or neither");
  const secure = url.protocol === "smtps:";
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    auth:
      url.username === ""
        ? undefined
        : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * A 5xx answer to the recipient or to the message is about this mail: it ends at once. One to our login, our address or our
 * connection is about our settings, which are put right while mails wait; without any answer nothing is known.
 */
function answerOf(error: unknown): SendAnswer {
  const { code, command, responseCode, permanent }: NodemailerError =
    error instanceof Error ? error : new Error("the mail could not be sent");
  const aboutThisMail =
    (permanent === true && (command === "RCPT TO" || command === "DATA")) ||
    // Refused before it was sent, by the same rule at every attempt.
    (command === "API" && (code === "EENVELOPE" || code === "EMESSAGE"));
  return {
    outcome: aboutThisMail ? "refused" : "retry",
    code: code ?? "unknown",
    status: responseCode,
    answer: answerLine(error instanceof Error ? error.message : "the mail could not be sent"),
  };
}
