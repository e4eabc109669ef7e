// The operator's route of one customer's story.
import { z } from "zod";

import { customerTimeline, timelineSubject } from "../billing/customer-timeline.ts";
import { TIMELINE_KINDS } from "../billing/timeline-sources.ts";
import { idParams, isoTime, listOf, pageFields, scopeFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const text = z.string().nullable();
const kind = z.enum(TIMELINE_KINDS);

const TimelineItem = z
  .strictObject({
    at: isoTime,
    kind,
    id: z.string(),
    title: z
      .string()
      .meta({ description: "The type of an event, a credit entry or a mail; of a delivery its endpoint." }),
    status: text.meta({ description: "Of a Stripe event: how it says that its object stands." }),
    outcome: text.meta({ description: "How the processing of a Stripe event stands; null of everything else." }),
    amount: z.int().nullable().meta({ description: "Minor units of `currency`." }),
    currency: text,
    credits: z.int().nullable(),
    balance_after: z.int().nullable(),
    livemode: z.boolean(),
    tenant_id: text,
    account_id: text,
    stripe_account: text,
    object_type: text,
    object_id: text,
    links: z
      .array(z.strictObject({ kind: z.string(), id: z.string() }))
      .meta({ description: "What it leads to, as the search names kinds." }),
  })
  .meta({ id: "TimelineItem" });

const isKind = (word: string): boolean => kind.safeParse(word).success;

export const readTimeline = operation({
  tag: "Operator",
  params: idParams,
  query: z.strictObject({
    ...scopeFields,
    kinds: z
      .string()
      .max(200)
      .transform((given) => given.split(",").map((one) => one.trim()))
      .refine((words) => words.every(isKind), `must be of ${TIMELINE_KINDS.join(", ")}, separated by commas`)
      .transform((words) => TIMELINE_KINDS.filter((one) => words.includes(one)))
      .optional()
      .meta({ description: "Only these; a page may then be shorter than its limit, and not the last." }),
    ...pageFields,
  }),
  answers: { 200: listOf(TimelineItem) },
  run: async ({ deps, params, query }) => {
    const { kinds = TIMELINE_KINDS, limit, cursor, account, livemode } = query;
    const subject = await timelineSubject(deps.database, params.id, { account, livemode });
    return customerTimeline(deps.database, subject, { kinds, limit, cursor });
  },
});
