// Mailgun's messages endpoint for tests: real HTTP on loopback, reads multipart/form-data, keeps what it took, refuses as told.
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export const MAILGUN_KEY = "key-of-the-mailgun-tests";
export const MAILGUN_DOMAIN = "mg.example.com";

export type MailgunMessage = Readonly<Record<string, string>>;

interface Refused {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

export interface MailgunServer {
  url: string;
  /** Taken, by field; of a field that came twice all values, joined by ` | `. */
  received: MailgunMessage[];
  /** Requests so far, with those that were refused. */
  requests(): number;
  /** What to say to the next messages; undefined takes one. */
  refuse(rule: ((message: MailgunMessage) => Refused | undefined) | undefined): void;
  /** While set, a message that was taken gets its answer only when this resolves. */
  hold(until: Promise<void> | undefined): void;
  close(): Promise<void>;
}

export async function openMailgunServer(): Promise<MailgunServer> {
  const received: MailgunMessage[] = [];
  let rule: ((message: MailgunMessage) => Refused | undefined) | undefined;
  let held: Promise<void> | undefined;
  let requests = 0;
  const answerTo = async (request: IncomingMessage): Promise<Refused> => {
    requests++;
    const message = await readForm(request);
    const given = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString("utf8");
    if (given !== `api:${MAILGUN_KEY}`) return { status: 401, body: "Forbidden" };
    if (request.method !== "POST" || request.url !== `/v3/${MAILGUN_DOMAIN}/messages`)
      return { status: 404, body: JSON.stringify({ message: "Domain not found" }) };
    const refused = rule?.(message);
    if (refused !== undefined) return refused;
    received.push(message);
    await held;
    return { status: 200, body: JSON.stringify({ id: message["h:Message-Id"], message: "Queued. Thank you." }) };
  };
  const server = createServer((request, response) => {
    void answerTo(request).then(
      ({ status, body = "", headers = {} }) => response.writeHead(status, headers).end(body),
      // A client that gave up has broken its connection.
      () => response.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    requests: () => requests,
    refuse: (wanted) => {
      rule = wanted;
    },
    hold: (until) => {
      held = until;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** By RFC 7578, as strictly as it takes to see that a form is one: throws for what is none. */
async function readForm(request: IncomingMessage): Promise<MailgunMessage> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const boundary = /^multipart\/form-data; boundary=([\w'()+,./:=?-]+)$/.exec(
    request.headers["content-type"] ?? "",
  )?.[1];
  const [preamble, ...parts] = `\r\n${Buffer.concat(pieces).toString("utf8")}`.split(`\r\n--${boundary ?? ""}`);
  const end = parts.pop();
  if (boundary === undefined || preamble !== "" || end?.trim() !== "--") throw new Error("the body is no whole form");
  const fields = new Map<string, string>();
  for (const part of parts) {
    const found = /^\r\nContent-Disposition: form-data; name="([^"]+)"\r\n\r\n(.*)$/is.exec(part);
    if (found === null) throw new Error("a part of the form has no name");
    const [, name = "", value = ""] = found;
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before} | ${value}`);
  }
  return Object.fromEntries(fields);
}
