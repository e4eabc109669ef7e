// What each mail must be told, how it is shown, and how long it is worth sending. Pure.
import { type MinorUnits, moneyText } from "../base/money.ts";

export interface Money {
  amount: MinorUnits;
  /** Stripe's code: `eur`. */
  currency: string;
}

interface CommonFields {
  /** Where the button leads: an absolute address under PUBLIC_URL or FRONTEND_URL, made by the caller. */
  link: string;
  /** What the product, or the company that sells, is called; default: PRODUCT_NAME, else no name. */
  product?: string;
}

interface OneTimeFields extends CommonFields {
  name?: string;
  /** How long the link works, in words: `1 hour`. */
  valid_for?: string;
}

export interface MailFields {
  invite: Omit<OneTimeFields, "name"> & {
    /** The company that invites. */
    company_name: string;
    /** The role that is offered. */
    role: string;
    /** Who invites, as people know them; empty: the company. */
    invited_by?: string;
  };
  verify_address: OneTimeFields;
  reset_password: OneTimeFields;
  /** To who bought without an account: the link sets a password. */
  welcome: OneTimeFields;
  credits_added: CommonFields & {
    name?: string;
    credits: number;
    /** What the account has now. */
    balance?: number;
    /** What was paid; none: they were a gift. */
    amount?: Money;
    /** The name of the pack. */
    pack?: string;
  };
  payment_failed: CommonFields & {
    name?: string;
    amount: Money;
    /** Why, in the bank's words. */
    reason?: string;
    /** Unix seconds; none: it is not tried again by itself. */
    next_attempt?: number;
  };
  trial_ending: CommonFields & {
    name?: string;
    /** Unix seconds. */
    ends: number;
    plan?: string;
    /** What each period costs after it. */
    amount?: Money;
  };
  card_expiring: CommonFields & {
    name?: string;
    /** `Visa`. */
    brand: string;
    last4: string;
    /** `08/2027`. */
    expires: string;
  };
  /** To a tenant, whose own customer has paid an invoice. */
  connected_invoice_paid: CommonFields & {
    amount: Money;
    /** The customer, by name or address. */
    customer: string;
    number?: string;
    /** What the platform keeps of it. */
    fee?: Money;
  };
  /** To a tenant's people, whose receiver of webhooks takes nothing any more. */
  endpoint_disabled: CommonFields & {
    /** Of its url, with the port where it has one. */
    host: string;
    /** Unix seconds: since when nothing could be delivered; none: it answered that it is gone. */
    since?: number;
  };
}

export type MailTemplate = keyof MailFields;

/** word: of a fixed set or Stripe's own, such as `08/2027` · text: what a person chose · day: Unix seconds, shown in UTC */
type Kind<Value> = Value extends string ? "link" | "text" | "word" : Value extends number ? "count" | "day" : "money";
export type FieldKind = Kind<string> | Kind<number> | Kind<Money>;

type FieldRules<Fields> = {
  [Field in keyof Fields]-?: undefined extends Fields[Field]
    ? `${Kind<NonNullable<Fields[Field]>>}?`
    : Kind<Fields[Field]>;
};

interface TemplateRules<Template extends MailTemplate> {
  fields: FieldRules<MailFields[Template]>;
  /** Seconds after which the mail is dropped: a day, or when its link has ended before. */
  lateAfter: number;
  /** Its link is a person's key: it leaves the database when the mail has ended, and production never shows it. */
  oneTime?: true;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
const COMMON = { link: "link", product: "text?" } as const;
const PERSONAL = { ...COMMON, name: "text?" } as const;
const ONE_TIME = { ...PERSONAL, valid_for: "text?" } as const;

const RULES: { readonly [Template in MailTemplate]: TemplateRules<Template> } = {
  invite: {
    fields: { ...COMMON, valid_for: "text?", company_name: "text", role: "text", invited_by: "text?" },
    lateAfter: DAY,
    oneTime: true,
  },
  verify_address: { fields: ONE_TIME, lateAfter: DAY, oneTime: true },
  reset_password: { fields: ONE_TIME, lateAfter: HOUR, oneTime: true },
  welcome: { fields: ONE_TIME, lateAfter: DAY, oneTime: true },
  credits_added: {
    fields: { ...PERSONAL, credits: "count", balance: "count?", amount: "money?", pack: "text?" },
    lateAfter: DAY,
  },
  payment_failed: {
    fields: { ...PERSONAL, amount: "money", reason: "text?", next_attempt: "day?" },
    lateAfter: DAY,
  },
  trial_ending: { fields: { ...PERSONAL, ends: "day", plan: "text?", amount: "money?" }, lateAfter: DAY },
  card_expiring: { fields: { ...PERSONAL, brand: "word", last4: "word", expires: "word" }, lateAfter: DAY },
  connected_invoice_paid: {
    fields: { ...COMMON, amount: "money", customer: "text", number: "text?", fee: "money?" },
    lateAfter: DAY,
  },
  endpoint_disabled: { fields: { ...COMMON, host: "text", since: "day?" }, lateAfter: DAY },
};

export const MAIL_TEMPLATES = Object.keys(RULES) as MailTemplate[];

export function isMailTemplate(name: string): name is MailTemplate {
  return Object.hasOwn(RULES, name);
}

export function lateAfter(template: MailTemplate): number {
  return RULES[template].lateAfter;
}

export function hasOneTimeLink(template: string): boolean {
  return isMailTemplate(template) && RULES[template].oneTime === true;
}

/** By name; the optional ones too. */
export function fieldsOf(template: MailTemplate): Map<string, { kind: FieldKind; optional: boolean }> {
  return new Map(
    Object.entries<string>(RULES[template].fields).map(([field, rule]) => [
      field,
      { kind: rule.replace("?", "") as FieldKind, optional: rule.endsWith("?") },
    ]),
  );
}

/** Throws, naming the field but never its value, when a mail could not be written from these fields. */
export function checkFields<Template extends MailTemplate>(
  template: Template,
  fields: unknown,
): asserts fields is MailFields[Template] {
  if (typeof fields !== "object" || fields === null) throw new Error(`the mail ${template} has no fields`);
  const known = fieldsOf(template);
  const values = new Map<string, unknown>(Object.entries(fields));
  for (const field of values.keys()) {
    if (!known.has(field)) throw new Error(`the mail ${template} has no field ${field}`);
  }
  for (const [field, { kind, optional }] of known) {
    const value = values.get(field);
    const isEmpty = value === undefined || (typeof value === "string" && value.trim() === "");
    if (isEmpty && !optional) throw new Error(`the mail ${template} lacks its ${field}`);
    if (value === undefined || (isEmpty && TEXTS.has(kind))) continue;
    if (shownAs(kind, value) === undefined)
      throw new Error(`the mail ${template} has a ${field} that is no ${WHAT[kind]}`);
  }
}

const TEXTS: ReadonlySet<FieldKind> = new Set(["text", "word"]);

const WHAT: Record<FieldKind, string> = {
  link: "absolute http address",
  text: "text",
  word: "short text of letters and digits",
  money: "amount with its currency",
  count: "whole number",
  day: "time in Unix seconds",
};

/** As a reader sees it, unescaped; undefined when the value is not of this kind. */
export function shownAs(kind: FieldKind, value: unknown): string | undefined {
  switch (kind) {
    case "link":
      return isWebLink(value) ? new URL(value).href : undefined;
    case "text":
      return typeof value === "string" ? shownName(value) : undefined;
    case "word":
      return typeof value === "string" && /^[\w /-]{1,40}$/.test(value) ? value : undefined;
    case "money":
      return isMoney(value) ? moneyText(value.amount, value.currency) : undefined;
    case "count":
      return Number.isSafeInteger(value) ? COUNT.format(value as number) : undefined;
    case "day":
      return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < YEAR_9999
        ? DATE.format((value as number) * 1000)
        : undefined;
  }
}

const YEAR_9999 = Date.UTC(9999, 0, 1) / 1000;
const COUNT = new Intl.NumberFormat("en-US");
const DATE = new Intl.DateTimeFormat("en-US", { dateStyle: "long", timeZone: "UTC" });

/** A user in it would show one host and lead to another. */
function isWebLink(link: unknown): link is string {
  if (typeof link !== "string" || !URL.canParse(link)) return false;
  const { protocol, username, password } = new URL(link);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

function isMoney(value: unknown): value is Money {
  if (typeof value !== "object" || value === null) return false;
  const { amount, currency }: { amount?: unknown; currency?: unknown } = value;
  return Number.isSafeInteger(amount) && typeof currency === "string" && /^[A-Za-z]{3}$/.test(currency);
}

const LONGEST_NAME = 100;

/** Names come from people: a line break or control character in one must not end a header or forge a paragraph. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
}

/**
 * A name that strangers choose, as a mail of ours may show it: short, on one line, and never turned into a link by a mail
 * client, which would make our mail carry theirs. U+2060 is invisible and belongs to no address.
 */
function shownName(name: string): string {
  return oneLine(name.slice(0, LONGEST_NAME).toWellFormed()).replace(/(?<=\S)[.:/@](?=\S)/g, "$&\u2060");
}
