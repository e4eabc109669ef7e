// The operator's routes to mails: list, retrieve, try again; and how each mail looks.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { MAIL_EXAMPLES } from "../mail/mail-examples.ts";
import { MAIL_TEMPLATES } from "../mail/mail-fields.ts";
import { MAIL_STATUSES } from "../mail/mail-tables.ts";
import { listMails, type MailSummary, readMail } from "../mail/mailbox.ts";
import { retryMail } from "../mail/retry-mail.ts";
import { renderMail } from "../mail/templates.ts";
import { idParams, isoTime, listOf, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Mails";

const Status = z.enum(MAIL_STATUSES).meta({ description: "kept: there is no mail server, it is read here." });
const Template = z.enum(MAIL_TEMPLATES);

const mailFields = {
  id: z.string(),
  tenant_id: z.string().nullable(),
  to: z.string(),
  template: z.string(),
  status: Status,
  dropped_because: z.enum(["late", "no_longer_true"]).nullable().meta({
    description: "late: it was due too long ago; no_longer_true: an invoice was paid meanwhile, and the like.",
  }),
  attempts: z.int(),
  last_answer: z.string().nullable().meta({ description: "The mail server's words." }),
  created_at: isoTime,
  ended_at: isoTime.nullable(),
  next_attempt_at: isoTime.nullable(),
};

const Mail = z.strictObject(mailFields).meta({ id: "Mail" });

const Content = z.strictObject({ subject: z.string(), text: z.string(), html: z.string() });

const MailDetail = z
  .strictObject({
    ...mailFields,
    attempt_list: z.array(
      z.strictObject({
        attempt: z.int(),
        at: isoTime,
        outcome: z.enum(["sent", "refused", "retry", "dropped"]).nullable(),
        answer: z.string().nullable(),
      }),
    ),
    content: Content.nullable().meta({
      description: "Only of a kept mail. In production addresses that are a person's key are left out.",
    }),
  })
  .meta({ id: "MailDetail" });

function viewOf(mail: MailSummary): z.output<typeof Mail> {
  return {
    id: mail.id,
    tenant_id: mail.tenantId,
    to: mail.to,
    template: mail.template,
    status: mail.status,
    dropped_because: mail.droppedBecause,
    attempts: mail.attempts,
    last_answer: mail.lastAnswer,
    created_at: mail.createdAt.toISOString(),
    ended_at: mail.endedAt?.toISOString() ?? null,
    next_attempt_at: mail.nextAttemptAt?.toISOString() ?? null,
  };
}

export const listMailsRoute = operation({
  tag: TAG,
  query: z.strictObject({
    status: Status.optional(),
    to: z
      .string()
      .regex(/^[^\p{Cc}]{1,320}$/u, "must be an address")
      .optional()
      .meta({ description: "A whole address." }),
    template: Template.optional(),
    ...pageFields,
  }),
  answers: { 200: listOf(Mail) },
  run: async ({ deps, query }) => {
    const { items, next_cursor } = await listMails(deps.database, query);
    return { data: items.map(viewOf), has_more: next_cursor !== null, next_cursor };
  },
});

export const readMailRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: MailDetail },
  run: async ({ deps, params }) => {
    const { productName: product, showsOneTimeLinks: oneTimeLinks } = deps.mail;
    const found = await readMail(deps.database, params.id, { product, oneTimeLinks });
    if (found === undefined) throw publicError("not_found", { message: "There is no mail with this id: check it." });
    const attempts = found.attemptList.map(({ at, ...rest }) => ({ ...rest, at: at.toISOString() }));
    return { ...viewOf(found), attempt_list: attempts, content: found.content };
  },
});

export const retryMailRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({}).nullish(),
  answers: { 202: z.strictObject({ id: z.string(), status: z.literal("queued") }) },
  run: async ({ deps, params, reply, requestId }) => {
    await retryMail(deps.database, params.id);
    deps.log.info("a mail is tried again", { request_id: requestId, object: "mail", object_id: params.id });
    reply.status(202);
    return { id: params.id, status: "queued" };
  },
});

export const listMailTemplates = operation({
  tag: TAG,
  answers: { 200: z.strictObject({ data: z.array(z.strictObject({ template: Template, example: Content })) }) },
  run: async ({ deps }) => ({
    data: MAIL_TEMPLATES.map((template) => ({
      template,
      example: renderMail(template, MAIL_EXAMPLES[template], deps.mail.productName),
    })),
  }),
});
