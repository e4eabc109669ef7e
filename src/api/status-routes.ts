// The status of a checkout, payment, setup, subscription or invoice, for who waits for it: at once, by a long poll, or as a stream.
import { z } from "zod";

import { accountIdsOf } from "../accounts/own-accounts.ts";
import { PublicError, publicError } from "../base/errors.ts";
import { readGrant, readGrantOf, STATUS_OBJECTS, type StatusGrant } from "../billing/status-grants.ts";
import type { StatusState } from "../billing/status-heads.ts";
import { readStatusToken } from "../billing/status-url.ts";
import { STATUSES } from "../billing/status-view.ts";
import { revisionOf } from "../billing/status-watch.ts";
import { tenantScope } from "../db/tenant-scope.ts";
import { needScope } from "./account-caller.ts";
import { admit, type Asking, type Caller, identify, personOf, tenantOf } from "./caller.ts";
import { idParams, isoTime, wholeNumber } from "./query-fields.ts";
import { type Call, operation } from "./route.ts";
import { streamStatus } from "./status-stream.ts";
import { awaitStatus, startsOver } from "./status-wait.ts";

const LONGEST_WAIT = 25;

const StatusAnswer = z
  .strictObject({
    id: z.string(),
    object: z.enum([...Object.values(STATUS_OBJECTS)]),
    status: z.enum(STATUSES).meta({
      description:
        "`pending`: wait · `action_required`: the person must do something, such as confirm with their bank · `failed`: it may be tried again · `succeeded`, `expired`, `canceled`: the end.",
    }),
    stripe_status: z.string().nullable().meta({ description: "The object's own status at Stripe." }),
    result: z.strictObject({
      credits_added: z
        .int()
        .nullable()
        .meta({ description: "0 until it is paid; null where nothing of the kind was bought." }),
      credit_balance: z.int().nullable(),
      subscription_status: z.string().nullable(),
      invoice_status: z.string().nullable(),
    }),
    failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    source: z.enum(["webhook", "stripe"]).meta({ description: "`stripe`: we asked; no event had told it by then." }),
    updated_at: isoTime,
  })
  .meta({ id: "PaymentStatus" });

const Query = z.strictObject({
  wait: wholeNumber(0, LONGEST_WAIT).prefault(0).meta({
    description:
      "Seconds to wait for the end or for a change. With `If-None-Match` (the ETag of the answer before) it waits for another answer than that, and is 304 without one.",
  }),
  returned: z
    .stringbool({ truthy: ["true"], falsy: ["false"] })
    .default(false)
    .meta({
      description:
        "`true` on the page that Stripe's Checkout leads back to: while it is pending, Stripe is asked at once and not after 3 s.",
    }),
  token: z.string().max(1000).optional().meta({
    description:
      "From `status_url`: instead of a signed-in person's or an account session's, which needs the scope `read`.",
  }),
});

export type StatusCall = Call<{ id: string }, z.output<typeof Query>, undefined>;

export const readStatus = operation({
  tag: "Status",
  params: idParams,
  query: Query,
  answers: {
    200: StatusAnswer,
    204: {
      description: "The stream was resumed (`Last-Event-ID`) after its final event: there is nothing more to come.",
      contentType: "text/event-stream",
    },
    304: {
      description: "Nothing else than what `If-None-Match` names came within `wait`.",
      contentType: "application/json",
    },
  },
  run: async (call: StatusCall) => {
    const { deps, query, headers, reply } = call;
    const grant = await grantOf(call);
    const isHead = reply.request.method === "HEAD";
    if (!isHead && headers.accept?.includes("text/event-stream") === true) {
      return streamStatus(call, grant, { wireOf, isLetIn: () => isLetIn(call) });
    }
    const known = tagOf(headers["if-none-match"]);
    const state = await awaitStatus(deps.status, grant, {
      milliseconds: isHead ? 0 : query.wait * 1000,
      returned: query.returned,
      known,
      gone: startsOver(reply),
    });
    // Kept alive, it would hold up the stop.
    if (deps.status.stopped()) reply.header("connection", "close");
    const tag = revisionOf(state);
    reply.header("etag", `W/"${tag}"`);
    return known === tag ? reply.status(304).send() : wireOf(state);
  },
});

const tagOf = (header: string | undefined): string | undefined => /^(?:W\/)?"([\w-]{1,64})"$/.exec(header ?? "")?.[1];

/** Only what is recorded for who calls; anything else is not there. */
async function grantOf({ deps, params: { id }, query: { token }, headers, caller }: StatusCall): Promise<StatusGrant> {
  if (token !== undefined) {
    const claim = readStatusToken(deps, token);
    if (claim === undefined) throw publicError("unauthorized", { message: TOKEN_ENDED });
    if (claim.objectId !== id) throw publicError("not_found");
    return readGrant(tenantScope(deps.apiDatabase, claim), claim);
  }
  const customer = admitCustomer(deps, { ...caller, headers });
  const { id: tenantId } = tenantOf(customer);
  const scope = tenantScope(deps.apiDatabase, { tenantId });
  const { identity } = customer;
  const accountIds =
    identity.kind === "account"
      ? [identity.session.accountId]
      : await accountIdsOf(scope, { tenantId, personId: personOf(customer).personId });
  return readGrantOf(scope, { tenantId, accountIds, objectId: id });
}

/** Throws `unauthorized` or `forbidden`. */
function admitCustomer(deps: StatusCall["deps"], asking: Asking): Caller {
  const customer = admit(deps, "account user", asking);
  if (customer.identity.kind === "account") needScope(customer.identity.session, "read");
  return customer;
}

/** Whether who was let in would be now: a key that was revoked, a session that is over, and a sign-out end a stream too. */
async function isLetIn({ deps, query: { token }, headers, caller: { source } }: StatusCall): Promise<boolean> {
  if (token !== undefined) return true;
  const identity = await identify(deps, headers.authorization);
  try {
    admitCustomer(deps, { identity, headers, source });
    return true;
  } catch (error) {
    if (error instanceof PublicError) return false;
    throw error;
  }
}

const TOKEN_ENDED =
  "The link's token is wrong or older than a day: sign in, or take the status_url of a newer answer, unchanged.";

function wireOf(state: StatusState): z.output<typeof StatusAnswer> {
  const { id, object, status, stripeStatus, failure, source } = state;
  return {
    id,
    object,
    status,
    stripe_status: stripeStatus,
    result: {
      credits_added: state.creditsAdded,
      credit_balance: state.creditBalance,
      subscription_status: state.subscriptionStatus,
      invoice_status: state.invoiceStatus,
    },
    failure,
    source,
    updated_at: state.updatedAt.toISOString(),
  };
}
