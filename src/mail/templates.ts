// The mails' words: fields in, subject, text and HTML out. The words themselves are in people-mails.tsx and billing-mails.tsx.
import { readFileSync } from "node:fs";

import { escapeHtml, fill, parseTemplate, type StoredTemplate } from "./fill-template.ts";
import {
  checkFields,
  fieldsOf,
  isMailTemplate,
  type MailFields,
  type MailTemplate,
  oneLine,
  shownAs,
} from "./mail-fields.ts";

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

type Parsed = { [Part in keyof StoredTemplate]: ReturnType<typeof parseTemplate> };

const LONGEST_SUBJECT = 200;

/** Throws when a field that the template needs is missing, or when the link is none. `product`: where the fields name none. */
export function renderMail<Template extends MailTemplate>(
  template: Template,
  fields: MailFields[Template],
  product?: string,
): RenderedMail {
  checkFields(template, fields);
  const values = shownFields(template, { ...(product === undefined ? {} : { product }), ...withoutEmpty(fields) });
  const { subject, text, html } = parsed(template);
  const plain = (value: string): string => value;
  return {
    subject: oneLine(fill(subject, values, plain))
      .slice(0, LONGEST_SUBJECT)
      .toWellFormed(),
    // What was left out leaves its blank lines.
    text: `${fill(text, values, plain)
      .replace(/\n{3,}/g, "\n\n")
      .trim()}\n`,
    html: fill(html, values, escapeHtml),
  };
}

/** What was stored, as a mail. Throws when it is not what this build's templates take. */
export function renderStored(template: string, fields: unknown, product?: string): RenderedMail {
  if (!isMailTemplate(template)) throw new Error(`there is no mail ${template}`);
  checkFields(template, fields);
  return renderMail(template, fields, product);
}

function withoutEmpty(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && !(typeof value === "string" && value.trim() === ""),
    ),
  );
}

function shownFields(template: MailTemplate, fields: Readonly<Record<string, unknown>>): Map<string, string> {
  const shown = new Map<string, string>();
  for (const [field, { kind }] of fieldsOf(template)) {
    const text = fields[field] === undefined ? undefined : shownAs(kind, fields[field]);
    if (text !== undefined) shown.set(field, text);
  }
  return shown;
}

const known = new Map<MailTemplate, Parsed>();

/** Read when the first mail is written: most processes that start write none. */
function parsed(template: MailTemplate): Parsed {
  if (known.size === 0) {
    const file = new URL("./mail-templates.json", import.meta.url);
    const stored = JSON.parse(readFileSync(file, "utf8")) as Record<MailTemplate, StoredTemplate>;
    for (const [name, { subject, text, html }] of Object.entries(stored)) {
      const parts = { subject: parseTemplate(subject), text: parseTemplate(text), html: parseTemplate(html) };
      if (isMailTemplate(name)) known.set(name, parts);
    }
  }
  const found = known.get(template);
  if (found === undefined) throw new Error(`the mail ${template} was not generated: run npm run generate`);
  return found;
}
