// Queues a mail in the caller's transaction: it is sent if, and only if, that commits.
import { storableText } from "../base/text.ts";
import type { Queryable } from "../db/database.ts";
import type { WantedCheck } from "./mail-checks.ts";
import { checkFields, lateAfter, type MailFields, type MailTemplate } from "./mail-fields.ts";
import { insertMail, newMailId } from "./mail-tables.ts";

export interface WantedMail<Template extends MailTemplate = MailTemplate> {
  /** Whose business it is; null: nobody's but the person's. */
  tenantId: string | null;
  /** What the mail is about, such as `invite:<id>`: of several mails with one cause the first is sent, the others never. */
  cause: string;
  /** One address, without a name. */
  to: string;
  template: Template;
  fields: MailFields[Template];
  /** What must still be so when it is sent; none: it is true whenever it is sent. */
  check?: WantedCheck;
}

/** One address and nothing that a mail header or an SMTP command would read otherwise. */
const ADDRESS = /^[^\s<>()[\]\\,;:"@\p{C}]{1,64}@[^\s<>()[\]\\,;:"@\p{C}]{1,253}$/u;

export function isOneAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/**
 * Queues the mail, once per cause. Returns its id, or undefined when the cause had its mail already. Throws, before it asks
 * the database, when the address is not one or the template lacks a field: neither may be found out only by the worker.
 */
export async function queueMail<Template extends MailTemplate>(
  tx: Queryable,
  { tenantId, cause, to, template, fields, check }: WantedMail<Template>,
): Promise<string | undefined> {
  if (!isOneAddress(to)) throw new Error(`the mail ${template} is not for one mail address`);
  checkFields(template, fields);
  const stored = Object.entries(fields).map(([field, value]: [string, unknown]) => [
    field,
    typeof value === "string" ? storableText(value) : value,
  ]);
  const id = newMailId();
  const isNew = await insertMail(tx, {
    id,
    tenantId,
    cause: storableText(cause),
    template,
    to,
    fields: JSON.stringify(Object.fromEntries(stored)),
    lateAfter: lateAfter(template),
    check,
  });
  return isNew ? id : undefined;
}
