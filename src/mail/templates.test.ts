import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fill, parseTemplate } from "./fill-template.ts";
import { fieldsOf, lateAfter, MAIL_TEMPLATES, type MailTemplate } from "./mail-fields.ts";
import { MAIL_EXAMPLES } from "./mail-examples.ts";
import { renderMail, renderStored, type RenderedMail } from "./templates.ts";

const LINK = "https://app.example.com/open?token=abc&x=1";
const render = (template: MailTemplate, more: object = {}): RenderedMail =>
  renderStored(template, { ...MAIL_EXAMPLES[template], ...more });
const spaced = (text: string): string => text.replace(/\u00a0/g, " ");
const escaped = (text: string): string => text.replaceAll("&", "&amp;");
/** What a reader of the HTML sees, without its hidden preview. */
const seen = (html: string): string =>
  html
    .replace(/<head>.*?<\/head>|<div style="display:none.*?<\/div><\/div>|<!--.*?-->/gs, "")
    .replace(/<[^>]+>/g, "")
    .replaceAll("&amp;", "&");
const textFieldsOf = (template: MailTemplate): string[] =>
  [...fieldsOf(template)].filter(([, { kind }]) => kind === "text").map(([field]) => field);

describe("the words of", () => {
  it("an invitation", () => {
    const { subject, text } = renderMail("invite", MAIL_EXAMPLES.invite);
    expect(subject).toBe("You are invited to Acme");
    expect(text).toBe(
      [
        "Join Acme",
        "Ada invites you to join Acme as admin.",
        `Accept the invitation:\n${LINK}`,
        "The link works once, for 7 days.",
        "The invitation is for you alone: do not pass this mail on. If you expected none, ignore it.\n",
      ].join("\n\n"),
    );
    const nobody = renderMail("invite", { link: LINK, company_name: "Acme", role: "admin", invited_by: "" });
    expect(nobody.text).toContain("Acme invites you to join Acme as admin.");
  });

  it("the confirmation of an address", () => {
    const { subject, text } = renderMail("verify_address", MAIL_EXAMPLES.verify_address);
    expect(subject).toBe("Confirm your e-mail address for Notes");
    expect(text).toContain("Hello Ada,");
    expect(text).toContain(`Confirm the address:\n${LINK}\n`);
    expect(text).toContain("The link works once, for 48 hours.");
    expect(text).toMatch(/-- \nNotes\n$/);
    expect(renderMail("verify_address", { link: LINK, name: "" }).text).toContain("Hello,");
  });

  it("a new password", () => {
    const { subject, text } = renderMail("reset_password", { link: LINK });
    expect(subject).toBe("Set a new password");
    expect(text).toContain("signs you out everywhere");
    expect(text).toContain("If it was not you");
    expect(text).toContain("The link works once.\n");
  });

  it("amounts, by their currency, and days", () => {
    const amountIn = (currency: string): string =>
      spaced(
        renderMail("payment_failed", { ...MAIL_EXAMPLES.payment_failed, amount: { amount: 1250, currency } }).text,
      );
    expect(amountIn("usd")).toContain("Amount: $12.50\n");
    expect(amountIn("jpy")).toContain("Amount: ¥1,250\n");
    expect(amountIn("kwd")).toContain("Amount: KWD 1.250\n");
    expect(render("payment_failed").text).toContain("Tried again on: December 1, 2026\n");
    expect(render("credits_added").text).toContain("1,500 credits are in your account");
    expect(spaced(render("connected_invoice_paid").subject)).toBe("Bolt GmbH paid KWD 12.500");
    expect(render("card_expiring").text).toContain("Visa card ending in 4242 expires 12/2026.");
  });

  it("a mail whose product is not named by its fields: that of PRODUCT_NAME", () => {
    const fields = { link: LINK };
    expect(renderMail("welcome", fields, "Acme").subject).toBe("Welcome to Acme");
    expect(renderMail("welcome", { ...fields, product: "Notes" }, "Acme").subject).toBe("Welcome to Notes");
    expect(renderMail("welcome", fields).subject).toBe("Welcome");
  });
});

describe.each(MAIL_TEMPLATES)("the mail %s", (template) => {
  it("leads only to the link that it was given, and loads nothing", () => {
    const { html, text } = render(template);
    const links = [...html.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, link]) => link);
    expect(new Set(links)).toEqual(new Set([escaped(LINK)]));
    expect(html).not.toMatch(/<(img|script|link|iframe|object|form)\b|url\(|@import|\son\w+=/i);
    expect([...text.matchAll(/https?:\S+/g)].map(String)).toEqual([LINK]);
  });

  it("says in its text what it says in HTML: the same sentences, amounts and link", () => {
    const { html, text } = render(template);
    const lines = text.split("\n").map((line) => line.replace(/:$/, ""));
    for (const line of lines.filter((one) => one !== "" && one !== "-- ")) expect(seen(html)).toContain(line);
  });

  it("reads well with and without every optional field, and leaves no slot open", () => {
    const optional = [...fieldsOf(template)].filter(([, field]) => field.optional).map(([field]) => field);
    fc.assert(
      fc.property(fc.subarray(optional), (left) => {
        const { subject, text, html } = render(template, Object.fromEntries(left.map((field) => [field, undefined])));
        for (const part of [subject, text, html]) expect(part).not.toMatch(/\{\{|\}\}|undefined|NaN|\[object/);
        expect(text).not.toMatch(/\n{3}|^\s|[^-] \n| {2}/);
        expect(subject).not.toMatch(/\s\s|\s$/);
      }),
    );
  });

  it("reads well in a light and in a dark mail client", () => {
    const { html } = render(template);
    expect(html).toContain('<meta name="color-scheme" content="light dark"/>');
    expect(html).toContain("@media (prefers-color-scheme: dark)");
    expect(html).toMatch(/<html[^>]* lang="en"/);
    // Every class that the dark style turns is on an element that has its light colour inline, and none goes unused.
    for (const name of ["page", "card", "strong", "body", "note"])
      expect(html).toMatch(new RegExp(`class="${name}"[^>]*style="[^"]*color:`));
    // Gmail cuts mails of more than 102 KB.
    expect(Buffer.byteLength(html)).toBeLessThan(20_000);
  });

  it("shows hostile names as text: no markup, no header, no paragraph, no link of theirs", () => {
    const hostile = `<b onclick="x">&'\r\nBcc: all@example.com\u2028\u202E win.example/x https://win.example {{link}}`;
    const { subject, text, html } = render(
      template,
      Object.fromEntries(textFieldsOf(template).map((name) => [name, hostile])),
    );
    expect(subject).not.toMatch(/[\p{Cc}\u2028\u202E]/u);
    expect(html).not.toContain("<b ");
    expect(html).not.toContain('onclick="x');
    expect(html).toContain("&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;");
    expect(text).not.toMatch(/^Bcc/m);
    for (const body of [text, html]) expect(body).not.toMatch(/win\.example|https:\/\/win|all@example/);
    expect([...text.matchAll(/https?:\/\/\S+/g)].map(String)).toEqual([LINK]);
  });

  it("holds for all names: one line of subject, no markup, no slot filled from a name", () => {
    const names = textFieldsOf(template);
    const piece = fc.constantFrom(
      "{{",
      "}}",
      "{{#name}}",
      "{{link}}",
      "</td>",
      '"',
      "<script>",
      "\n",
      "é",
      "a.b",
      "😀",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (parts) => {
        const name = `x${parts.join("")}`;
        const { subject, html } = render(template, Object.fromEntries(names.map((field) => [field, name])));
        expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(subject.isWellFormed()).toBe(true);
        const tags = (text: string): string[] => [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
        const plain = render(template, Object.fromEntries(names.map((field) => [field, "x"])));
        expect(tags(html)).toEqual(tags(plain.html));
      }),
      { numRuns: 50 },
    );
  });

  it("shows a name at a hundred characters, and breaks it instead of the page", () => {
    const names = textFieldsOf(template);
    const { subject, text, html } = render(
      template,
      Object.fromEntries(names.map((name) => [name, "é".repeat(50_000)])),
    );
    expect(subject.length).toBeLessThanOrEqual(200);
    expect(text.length).toBeLessThan(2000);
    expect(html).toMatch(/class="body" style="[^"]*overflow-wrap:break-word/);
  });

  it("throws, quoting nothing, when it cannot be written", () => {
    for (const link of ["", "/reset?t=secret", "javascript:alert(1)", "https://a@secret.example/", 5, undefined])
      expect(() => render(template, { link })).toThrow(/^the mail \w+ (lacks its link|has a link that is no)/);
    expect(() => render(template, { link: "x secret" })).not.toThrow(/secret/);
    expect(() => render(template, { lnik: LINK })).toThrow(`the mail ${template} has no field lnik`);
    expect(() => renderStored(template, null)).toThrow("has no fields");
    for (const [field, { kind }] of fieldsOf(template))
      for (const wrong of [{}, 1.5, [], true])
        expect(() => render(template, { [field]: wrong }), kind).toThrow(`${template} has a ${field} that is no`);
  });

  it("is late after a day at most", () => {
    expect(lateAfter(template)).toBeLessThanOrEqual(86_400);
  });
});

describe("a template", () => {
  it("of a stored mail that is not there is an error", () => {
    expect(() => renderStored("toString", { link: LINK })).toThrow("there is no mail toString");
  });

  it("whose sections do not close where they opened is refused", () => {
    for (const source of ["{{#a}}", "{{/a}}", "{{#a}}{{#b}}{{/a}}{{/b}}"])
      expect(() => parseTemplate(source)).toThrow("section");
  });

  it("keeps what belongs to a field that is there, and never reads a value for slots", () => {
    const pieces = parseTemplate("{{#a}}A{{#b}}B{{/b}}={{a}}{{/a}}{{^a}}none{{/a}}");
    const filled = (values: [string, string][]): string => fill(pieces, new Map(values), (text) => text);
    expect(filled([])).toBe("none");
    expect(filled([["a", "{{b}}"]])).toBe("A={{b}}");
    const both: [string, string][] = [
      ["a", "1"],
      ["b", ""],
    ];
    expect(filled(both)).toBe("AB=1");
  });
});
