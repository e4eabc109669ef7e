// What query parameters and ids may look like, and lists in answers: the parts that the routes' schemas are made of. Pure.
import { z } from "zod";

/** Ids of Stripe's and of ours: printable, which an index can find and a log can show. Owners of plans and coupons choose theirs. */
export const id = z.string().regex(/^(?! )[^\p{C}\p{Zl}\p{Zp}]{1,255}(?<! )$/u, "must be an id");

/** In addresses: what is between two slashes. */
export const idParams = z.strictObject({ id });

export const scopeFields = {
  account: z
    .string()
    .regex(/^[\w-]{1,255}$/, "must be a Stripe account id, or `platform`")
    .transform((account) => (account === "platform" ? "" : account))
    .optional()
    .meta({ description: "A connected account's id; `platform` for the platform's own." }),
  livemode: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional(),
};

/**
 * Of decimal digits alone: `Number` takes 0x10, 1e1 and blanks for numbers too. Where none is sent, `prefault` says what
 * counts: the reference would leave a `default` out.
 */
export function wholeNumber(least: number, most: number) {
  const says = `must be a whole number from ${least} to ${most}, in decimal digits`;
  const number = z.int(says).min(least, says).max(most, says);
  return z.preprocess(
    (given) => (typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : given),
    number,
  );
}

export const pageFields = {
  limit: wholeNumber(1, 100).prefault(20),
  cursor: z.string().max(1000).optional().meta({ description: "`next_cursor` of the page before." }),
};

/** Of lists that clients were used to get whole: who names no `limit` gets as much as there is on one page. */
export const longPageFields = { ...pageFields, limit: pageFields.limit.unwrap().prefault(100) };

const ISO = /^(\d{4})-(\d\d)-(\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;
const YEAR_9999 = Date.UTC(9999, 0, 1);

/** Unix seconds: of what Stripe says when it happened. A fraction is rounded up: nothing before it counts. */
export const time = timeField((milliseconds) => Math.ceil(milliseconds / 1000));
/** Milliseconds since 1970: of what we know to the millisecond, and say so in answers. */
export const moment = timeField((milliseconds) => milliseconds);

/** ISO 8601 (a date alone is its start in UTC) or Unix seconds. */
function timeField(from: (milliseconds: number) => number) {
  const says = "must be an ISO 8601 time with its zone, such as 2026-01-31T00:00:00Z, or Unix seconds";
  return z
    .union([z.string(), z.number()], says)
    .transform((given, context) => {
      const milliseconds = millisecondsOf(String(given));
      if (milliseconds >= 0 && milliseconds < YEAR_9999) return from(milliseconds);
      context.addIssue({ code: "custom", message: says });
      return z.NEVER;
    })
    .optional();
}

/** NaN: it is neither. */
function millisecondsOf(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  const [, year, month, day] = ISO.exec(text) ?? [];
  // Date.parse takes 31 February for 3 March.
  return Number(day) <= daysOf(Number(year), Number(month)) ? Date.parse(text) : Number.NaN;
}

/** Of a month, 1 to 12. The calendar repeats every 400 years; years below 100 would be taken for 19xx. */
function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

export const rangeFields = {
  since: time.meta({ description: "ISO 8601 or Unix seconds, inclusive." }),
  until: time.meta({ description: "ISO 8601 or Unix seconds, exclusive." }),
};

/** What a person typed into the search box. */
export const searchText = z
  .string()
  .trim()
  .min(1)
  .max(320)
  .regex(/^[^\p{Cc}]*$/u, "must not contain control characters")
  .optional()
  .meta({ description: "A whole id or a whole e-mail address." });

/** `a,b` as a list of words. */
export function wordList(word: RegExp, message: string) {
  return z
    .string()
    .max(4000)
    .transform((text, context) => {
      const words = text.split(",").map((one) => one.trim());
      if (words.every((one) => word.test(one))) return words;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    })
    .optional();
}

export const isoTime = z.iso.datetime();

/** The wire form of every list. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ data: z.array(item), has_more: z.boolean(), next_cursor: z.string().nullable() });
}
