import { afterEach, describe, expect, it } from "vitest";

import { Secret } from "../base/secret.ts";
import { type MailServer, openMailServer } from "../../test/support/mail-server.ts";
import type { OutgoingMail } from "./mail-sender.ts";
import { type SmtpSettings, smtpSender } from "./smtp.ts";

const FROM = "Billhook <billing@example.com>";
const MAIL: OutgoingMail = { id: "mail_1", to: "ada@example.com", subject: "Ünïcode", text: "hello", html: "<p>hello" };
const LIMIT = 10_000;

let server: MailServer;
afterEach(() => server.close());

const login = { disabledCommands: ["STARTTLS"], authOptional: false, allowInsecureAuth: true };
interface Auth {
  username?: string | undefined;
  password?: string | null | undefined;
}
const onAuth = (auth: Auth, _: unknown, callback: (error: Error | null, found?: { user: string }) => void): void =>
  auth.username === "ada@x" && auth.password === "p:w/d" ? callback(null, { user: "ada" }) : callback(new Error("no"));

const send = (settings: Omit<SmtpSettings, "from">, mail = MAIL): ReturnType<ReturnType<typeof smtpSender>> =>
  smtpSender({ from: FROM, ...settings })(mail, AbortSignal.timeout(LIMIT));

describe("a mail server", () => {
  it("is given as one address, with its login percent-encoded, or as fields", async () => {
    server = await openMailServer({ ...login, onAuth });
    const url = new Secret(`smtp://ada%40x:p%3Aw%2Fd@127.0.0.1:${server.port}`);
    expect(await send({ url })).toMatchObject({ outcome: "sent" });
    const fields = { host: "127.0.0.1", port: server.port, user: "ada@x", pass: new Secret("p:w/d") };
    expect(await send(fields)).toMatchObject({ outcome: "sent", answer: expect.stringMatching(/^250/) });
    expect(server.received.map(({ headers }) => headers.get("subject"))).toEqual(
      Array.from({ length: 2 }, () => expect.stringMatching(/^=\?UTF-8\?/)),
    );
  });

  it("that refuses our login, our address or our connection is asked again: that is not about the mail", async () => {
    server = await openMailServer({
      ...login,
      authOptional: true,
      onAuth,
      onMailFrom: (_address, _session, callback) => callback(Object.assign(new Error("no"), { responseCode: 550 })),
    });
    const address = { host: "127.0.0.1", port: server.port };
    const pass = new Secret("wrong password");
    const refusedLogin = await send({ ...address, user: "ada@x", pass });
    expect(refusedLogin).toMatchObject({ outcome: "retry", code: "EAUTH", status: 535 });
    expect(JSON.stringify(refusedLogin)).not.toContain("wrong password");
    expect(await send(address)).toMatchObject({ outcome: "retry", status: 550 });
    await server.close();
    server = await openMailServer({
      onConnect: (_session, callback) => callback(Object.assign(new Error("no"), { responseCode: 554 })),
    });
    expect(await send({ host: "127.0.0.1", port: server.port })).toMatchObject({ outcome: "retry" });
    expect(await send({ host: "127.0.0.1", port: 1 })).toMatchObject({ outcome: "retry", code: "ESOCKET" });
  });

  it("with a certificate that nobody signed gets no mail and no password", async () => {
    let asked = false;
    server = await openMailServer({
      disabledCommands: [],
      onAuth: (_auth, _session, callback) => {
        asked = true;
        callback(null, { user: "x" });
      },
    });
    const answer = await send({ host: "127.0.0.1", port: server.port, user: "u", pass: new Secret("p") });
    expect(answer).toMatchObject({ outcome: "retry", answer: expect.stringContaining("certificate") });
    expect([asked, server.received.length]).toEqual([false, 0]);
  });

  it("that is silent ends the attempt, not the worker", async () => {
    server = await openMailServer();
    server.hold(new Promise(() => undefined));
    const sender = smtpSender({ from: FROM, host: "127.0.0.1", port: server.port });
    expect(await sender(MAIL, AbortSignal.timeout(300))).toMatchObject({ outcome: "retry", code: "EABORT" });
  });

  it("gets one recipient, whatever the address says", async () => {
    server = await openMailServer();
    for (const to of ["a@x.example, b@x.example", "a@x.example>\r\nRCPT TO:<b@x.example"])
      await send({ host: "127.0.0.1", port: server.port }, { ...MAIL, to });
    for (const { to } of server.received) expect(to).toHaveLength(1);
    expect(server.received.flatMap(({ to }) => to)).not.toContain("b@x.example");
  });
});

it.each([
  [{ url: new Secret("http://user:hidden@mail.example") }, "not of the form smtp://"],
  [{ url: new Secret("smtp://user:hidden@mail.example?logger=true&debug=true") }, "not of the form smtp://"],
  [{ url: new Secret("smtp://user@mail.example") }, "go together"],
  [{ host: "mail.example", user: "u" }, "go together"],
  [{}, "no host"],
  [{ host: "mail.example", from: "nobody" }, "Name <address>"],
  [{ host: "mail.example", from: "a@b.c\r\nBcc: d@e.f" }, "Name <address>"],
])("settings that are wrong are refused with a sentence that quotes no secret: %#", async (settings, sentence) => {
  server = await openMailServer();
  expect(() => smtpSender({ from: FROM, ...settings })).toThrow(sentence);
  expect(() => smtpSender({ from: FROM, ...settings })).not.toThrow("hidden");
});
