import { describe, expect, it } from "vitest";

import { ConfigError } from "./base/config-error.ts";
import { readConfig } from "./config.ts";
import type { Environment } from "./config.ts";

/** What is wrong, one line for each. */
function problems(env: Environment): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, problem }) => `${variable}: ${problem}`);
  }
}

const SMTP = { SMTP_URL: "smtp://user:hidden@mail.example.com:587", MAIL_FROM: "Acme <billing@acme.example>" };
const MAILGUN = {
  MAILGUN_API_KEY: "hidden-key-0123456789",
  MAILGUN_DOMAIN: "mg.acme.example",
  MAILGUN_SENDER_EMAIL: "Acme <billing@acme.example>",
};

describe("mail settings", () => {
  it("none: mails are kept, name no product, and none is about failed payments", () => {
    expect(readConfig({})).toMatchObject({ mail: undefined, productName: undefined, paymentFailedMails: false });
    expect(readConfig({ PRODUCT_NAME: "Acme", PAYMENT_FAILED_MAILS: "on" })).toMatchObject({
      productName: "Acme",
      paymentFailedMails: true,
    });
  });

  it("by SMTP or by Mailgun, in the US or the EU", () => {
    expect(readConfig(SMTP).mail).toMatchObject({ kind: "smtp", from: SMTP.MAIL_FROM });
    expect(readConfig(MAILGUN).mail).toMatchObject({
      kind: "mailgun",
      domain: "mg.acme.example",
      from: "Acme <billing@acme.example>",
      apiBase: "https://api.mailgun.net",
    });
    const eu = readConfig({ ...MAILGUN, MAILGUN_API_BASE: "https://api.eu.mailgun.net/" }).mail;
    expect(eu).toMatchObject({ apiBase: "https://api.eu.mailgun.net" });
    expect(JSON.stringify(eu)).not.toContain("hidden");
  });

  it("of both are refused by name, never by value", () => {
    expect(problems({ ...SMTP, ...MAILGUN })).toEqual([
      "SMTP_URL: SMTP_URL and MAIL_FROM and MAILGUN_API_KEY, MAILGUN_DOMAIN, MAILGUN_SENDER_EMAIL are both set, and mail goes one way: remove the one or the other.",
    ]);
    expect(problems({ ...SMTP, MAILGUN_DOMAIN: "mg.acme.example" })).toHaveLength(1);
  });

  it("in half are refused with what is missing", () => {
    expect(problems({ SMTP_URL: SMTP.SMTP_URL })).toEqual([
      expect.stringMatching(/^MAIL_FROM: .* MAIL_FROM is missing/),
    ]);
    expect(problems({ MAIL_FROM: SMTP.MAIL_FROM })).toEqual([
      expect.stringMatching(/^SMTP_URL: .* SMTP_URL is missing/),
    ]);
    expect(problems({ MAILGUN_API_KEY: MAILGUN.MAILGUN_API_KEY })).toEqual([
      "MAILGUN_DOMAIN: MAILGUN_API_KEY, MAILGUN_DOMAIN and MAILGUN_SENDER_EMAIL belong together, and MAILGUN_DOMAIN and MAILGUN_SENDER_EMAIL are missing: set all, or remove all and mails are kept and not sent.",
    ]);
    expect(problems({ MAILGUN_API_BASE: "https://api.eu.mailgun.net" })).toHaveLength(1);
  });

  it("of a wrong form are refused", () => {
    for (const [name, value] of [
      ["MAILGUN_DOMAIN", "https://mg.acme.example"],
      ["MAILGUN_DOMAIN", "mg.acme.example/../x"],
      ["MAILGUN_SENDER_EMAIL", "nobody"],
      ["MAILGUN_API_KEY", "has a space in it"],
      ["MAILGUN_API_BASE", "https://api.mailgun.net/v3"],
      ["PAYMENT_FAILED_MAILS", "yes"],
      ["PRODUCT_NAME", "x".repeat(61)],
    ] as const)
      expect(problems({ ...MAILGUN, [name]: value })).toEqual([expect.stringContaining(`${name}: `)]);
    const clear = { ...MAILGUN, MAILGUN_API_BASE: "http://127.0.0.1:9" };
    expect(problems(clear)).toEqual([]);
    expect(problems({ ...clear, NODE_ENV: "production" })).toContainEqual(
      expect.stringContaining("MAILGUN_API_BASE: in production it must be https"),
    );
  });
});
