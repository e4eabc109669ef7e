import { describe, expect, it } from "vitest";

import type { MailFields, MailTemplate } from "./mail-fields.ts";
import { lateAfter } from "./mail-fields.ts";
import type { RenderedMail } from "./mail-layout.ts";
import { renderMail, renderStored } from "./templates.ts";

const LINK = "https://app.example.com/accept?token=abc&x=1";
const FIELDS: MailFields = {
  invite: { link: LINK, company_name: "Acme", role: "admin", invited_by: "Ada", valid_for: "7 days" },
  verify_address: { link: LINK, name: "Ada", valid_for: "48 hours", product: "Notes" },
  reset_password: { link: LINK, name: "Ada", valid_for: "1 hour" },
};
const TEMPLATES = Object.keys(FIELDS) as MailTemplate[];
const render = (template: MailTemplate, more: object = {}): RenderedMail =>
  renderStored(template, { ...FIELDS[template], ...more });

describe("the words of", () => {
  it("an invitation", () => {
    const { subject, text } = renderMail("invite", FIELDS.invite);
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
    const { subject, text } = renderMail("verify_address", FIELDS.verify_address);
    expect(subject).toBe("Confirm your e-mail address for Notes");
    expect(text).toContain("Hello Ada,");
    expect(text).toContain(`Confirm the address:\n${LINK}\n`);
    expect(text).toContain("The link works once, for 48 hours.");
    expect(text).toMatch(/-- \nNotes\n$/);
    expect(renderMail("verify_address", { link: LINK, name: "" }).text).toContain("Hello,");
  });

  it("a new password", () => {
    const { subject, text } = renderMail("reset_password", FIELDS.reset_password);
    expect(subject).toBe("Set a new password");
    expect(text).toContain("signs you out everywhere");
    expect(text).toContain("If it was not you");
    expect(renderMail("reset_password", { link: LINK }).text).toContain("The link works once.\n");
  });
});

describe.each(TEMPLATES)("the mail %s", (template) => {
  it("leads only to the link that it was given, and loads nothing", () => {
    const { html, text } = render(template);
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
    expect(new Set(links)).toEqual(new Set([LINK.replace("&", "&amp;")]));
    expect(html).not.toMatch(/<(img|script|link|iframe|object|form)\b|url\(|@import|\son\w+=/i);
    expect([...text.matchAll(/https?:\S+/g)].map(String)).toEqual([LINK]);
  });

  it("reads well in a light and in a dark mail client", () => {
    const { html } = render(template);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain("@media (prefers-color-scheme: dark)");
    expect(html).toContain('<html lang="en">');
    // Every class that the dark style turns is on an element that has its light colour inline, and none goes unused.
    for (const name of ["page", "card", "strong", "body", "note"])
      expect(html).toMatch(new RegExp(`class="${name}"[^>]*style="[^"]*color:`));
    // Gmail cuts mails of more than 102 KB.
    expect(Buffer.byteLength(html)).toBeLessThan(20_000);
  });

  it("shows hostile names as text: no markup, no header, no paragraph, no link of theirs", () => {
    const hostile = `<b onclick="x">&'\r\nBcc: all@example.com\u2028\u202E win.example/x https://win.example`;
    const names = Object.keys(FIELDS[template]).filter((field) => field !== "link" && field !== "valid_for");
    const { subject, text, html } = render(template, Object.fromEntries(names.map((name) => [name, hostile])));
    expect(subject).not.toMatch(/[\p{Cc}\u2028\u202E]/u);
    expect(html).not.toContain("<b ");
    expect(html).not.toContain('onclick="x');
    expect(html).toContain("&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;");
    expect(text).not.toMatch(/^Bcc/m);
    for (const body of [text, html]) expect(body).not.toMatch(/win\.example|https:\/\/win|all@example/);
  });

  it("shows a name at a hundred characters", () => {
    const names = Object.keys(FIELDS[template]).filter((field) => field !== "link");
    const { subject, text } = render(template, Object.fromEntries(names.map((name) => [name, "é".repeat(50_000)])));
    expect(subject.length).toBeLessThanOrEqual(200);
    expect(text.length).toBeLessThan(2000);
  });

  it("throws, quoting nothing, when it cannot be written", () => {
    for (const link of ["", "/reset?t=secret", "javascript:alert(1)", "https://a@secret.example/", 5, undefined])
      expect(() => render(template, { link })).toThrow(/^the mail \w+ (lacks its link|has a link that is no)/);
    expect(() => render(template, { link: "x secret" })).not.toThrow(/secret/);
    expect(() => render(template, { lnik: LINK })).toThrow(`the mail ${template} has no field lnik`);
    expect(() => renderStored(template, null)).toThrow("has no fields");
  });

  it("is late after a day at most", () => {
    expect(lateAfter(template)).toBeLessThanOrEqual(86_400);
  });
});

it("a stored mail of a template that is not there is an error", () => {
  expect(() => renderStored("toString", { link: LINK })).toThrow("there is no mail toString");
});
