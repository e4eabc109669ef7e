// A mail server for tests: real SMTP on loopback, keeps what it took, refuses or holds back as it is told.
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface ReceivedMail {
  from: string;
  to: string[];
  /** Unfolded; names in lower case. */
  headers: Map<string, string>;
  /** Headers and body as sent. */
  raw: string;
  /** The body's parts put together, quoted-printable undone. */
  body: string;
}

/** The answer to a command: undefined takes it. A number is an SMTP status. */
export type Refusal = number | undefined;

export interface MailServer {
  port: number;
  /** Taken and answered, or about to be. */
  received: ReceivedMail[];
  /** Connections so far. */
  connections(): number;
  /** What to say to the next recipients and messages; asked once for each. */
  refuse(rules: { recipient?: (address: string) => Refusal; message?: (mail: ReceivedMail) => Refusal }): void;
  /** While set, a message that was taken gets its answer only when this resolves. */
  hold(until: Promise<void> | undefined): void;
  /** Waits until so many have come, or fails after thirty seconds. */
  got(count: number): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

/** Without TLS and without a login, unless `options` say otherwise. */
export async function openMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  let rules: Parameters<MailServer["refuse"]>[0] = {};
  let held: Promise<void> | undefined;
  let connections = 0;
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    logger: false,
    closeTimeout: 1000,
    onConnect: (_session, callback) => {
      connections++;
      callback();
    },
    onRcptTo: ({ address }, _session, callback) => callback(refusal(rules.recipient?.(address))),
    onData: (stream, { envelope }, callback) => {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        const mail = readMail(from, to, Buffer.concat(pieces).toString("utf8"));
        const refused = refusal(rules.message?.(mail));
        if (refused === null) received.push(mail);
        void (held ?? Promise.resolve()).then(() => callback(refused));
      });
    },
    ...options,
  });
  // A client that is killed breaks its connection.
  server.on("error", () => undefined);
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    port: (listening.address() as AddressInfo).port,
    received,
    connections: () => connections,
    refuse: (wanted) => {
      rules = wanted;
    },
    hold: (until) => {
      held = until;
    },
    got: async (count) => {
      const deadline = performance.now() + 30_000;
      while (received.length < count) {
        if (performance.now() > deadline) throw new Error(`${received.length} of ${count} mails came`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return received;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function refusal(status: Refusal): (Error & { responseCode: number }) | null {
  return status === undefined ? null : Object.assign(new Error("not today"), { responseCode: status });
}

function readMail(from: string, to: string[], raw: string): ReceivedMail {
  const end = raw.indexOf("\r\n\r\n");
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const bytes = raw
    .slice(end)
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return { from, to, headers, raw, body: Buffer.from(bytes, "latin1").toString("utf8") };
}
