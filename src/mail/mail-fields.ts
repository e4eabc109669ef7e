// What each mail must be told, and how long it is worth sending. Pure.

interface LinkFields {
  /** Where the button leads: an absolute address under PUBLIC_URL or FRONTEND_URL, made by the caller. */
  link: string;
  /** How long the link works, in words: `1 hour`. */
  valid_for?: string;
  /** What the product is called; default: no name. */
  product?: string;
}

export interface MailFields {
  invite: LinkFields & {
    /** The company that invites. */
    company_name: string;
    /** The role that is offered. */
    role: string;
    /** Who invites, as people know them; empty: the company. */
    invited_by?: string;
  };
  verify_address: LinkFields & { name?: string };
  reset_password: LinkFields & { name?: string };
}

export type MailTemplate = keyof MailFields;

const HOUR = 3600;
const DAY = 24 * HOUR;

interface FieldRules {
  required: readonly string[];
  optional: readonly string[];
  /** Seconds after which the mail is dropped: a day, or when its link has ended before. */
  lateAfter: number;
}

const RULES: Record<MailTemplate, FieldRules> = {
  invite: {
    required: ["link", "company_name", "role"],
    optional: ["invited_by", "valid_for", "product"],
    lateAfter: DAY,
  },
  verify_address: { required: ["link"], optional: ["name", "valid_for", "product"], lateAfter: DAY },
  reset_password: { required: ["link"], optional: ["name", "valid_for", "product"], lateAfter: HOUR },
};

export function isMailTemplate(name: string): name is MailTemplate {
  return Object.hasOwn(RULES, name);
}

export function lateAfter(template: MailTemplate): number {
  return RULES[template].lateAfter;
}

/** Throws, naming the field but never its value, when a mail could not be written from these fields. */
export function checkFields<Template extends MailTemplate>(
  template: Template,
  fields: unknown,
): asserts fields is MailFields[Template] {
  if (typeof fields !== "object" || fields === null) throw new Error(`the mail ${template} has no fields`);
  const { required, optional } = RULES[template];
  const values = new Map<string, unknown>(Object.entries(fields));
  for (const [field, value] of values) {
    if (!required.includes(field) && !optional.includes(field))
      throw new Error(`the mail ${template} has no field ${field}`);
    if (value !== undefined && typeof value !== "string")
      throw new Error(`the mail ${template} has a ${field} that is no text`);
  }
  for (const field of required) {
    const value = values.get(field);
    if (typeof value !== "string" || value.trim() === "") throw new Error(`the mail ${template} lacks its ${field}`);
  }
  if (!isWebLink(values.get("link")))
    throw new Error(`the mail ${template} has a link that is no absolute http address`);
}

/** A user in it would show one host and lead to another. */
function isWebLink(link: unknown): boolean {
  if (typeof link !== "string" || !URL.canParse(link)) return false;
  const { protocol, username, password } = new URL(link);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}
