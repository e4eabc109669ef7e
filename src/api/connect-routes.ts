// Routes of Stripe Connect: begin, come back, renew a link, look, disconnect.
import { z } from "zod";

import { PublicError, publicError } from "../base/errors.ts";
import { CONNECT_METHODS } from "../connections/connect-status.ts";
import { returnUrlOf } from "../connections/connect-states.ts";
import type { Connection } from "../connections/connection-table.ts";
import { type AccountStatus, accountStatus } from "../connect/account-status.ts";
import { disconnect } from "../connect/disconnect.ts";
import { finishConnection, lateReturn, renewLink } from "../connect/finish-connection.ts";
import { startConnection } from "../connect/start-connection.ts";
import { readTenant } from "../tenants/tenant-table.ts";
import { actOf, personOf, scopeOf, tenantOf } from "./caller.ts";
import { requestError } from "./request-errors.ts";
import type { ApiDependencies, Call } from "./route.ts";
import { operation } from "./route.ts";
import { countAsTry } from "./tries.ts";

const TAG = "Stripe Connect";

const method = z.enum(CONNECT_METHODS).meta({
  description:
    "`account_link` makes a Stripe account and leads to its onboarding; `oauth` lets in a Stripe account that is there already; `express_oauth` is OAuth for Express accounts.",
});

const Started = z.strictObject({
  url: z.string().meta({ description: "Where the owner goes now: a page of Stripe's." }),
  state: z.string().meta({ description: "Comes back from there; works once, within 10 minutes." }),
  redirect_uri: z.string(),
  method,
});

const REDIRECT = {
  description: "For a browser (`Accept: text/html`): on to the page that `return_url` named, or to the dashboard.",
  contentType: "text/html",
};

export const startConnect = operation({
  tag: TAG,
  body: z
    .strictObject({
      method: method.optional(),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/, "must be a country's two capital letters, such as DE")
        .optional()
        .meta({ description: "Of a new account; the platform's own without it. It cannot be changed later." }),
      return_url: z
        .url({ protocol: /^https?$/ })
        .max(2000)
        .optional()
        .meta({
          description: "Where the browser goes in the end, with `status` and `code`; of an origin in CORS_ORIGINS.",
        }),
    })
    .nullish(),
  answers: { 200: Started },
  run: async (call) => {
    const { deps, body, caller } = call;
    const wanted = {
      tenantId: tenantOf(caller).id,
      personId: personOf(caller).personId,
      livemode: caller.livemode,
      method: body?.method ?? deps.connect.method,
      country: body?.country ?? null,
      returnUrl: allowedReturn(deps, body?.return_url),
    };
    return startConnection(deps, scopeOf(call), wanted, actOf(caller));
  },
});

/** Anywhere else it would make us a means of leading people astray. */
function allowedReturn({ corsOrigins, people }: ApiDependencies, url: string | undefined): string | null {
  if (url === undefined) return null;
  const allowed = [...corsOrigins, new URL(people.frontendUrl).origin];
  if (allowed.includes(new URL(url).origin)) return url;
  throw publicError("invalid_request", {
    message: "`return_url` is of another origin: name one that CORS_ORIGINS lists.",
    param: "return_url",
  });
}

// What OAuth adds to it one day must not keep people from coming back: unknown parameters are left alone.
const text = (longest: number) => z.string().max(longest).optional();
const Return = z.object({ state: text(200), code: text(500), error: text(200), error_description: text(2000) });

export const connectCallback = operation({
  tag: TAG,
  query: Return,
  answers: {
    200: z.strictObject({
      message: z.string(),
      account_id: z.string(),
      tenant: z.strictObject({
        id: z.string(),
        company_name: z.string(),
        stripe_connect_account_id: z.string().nullable(),
        stripe_connect_status: z.string(),
      }),
    }),
    302: REDIRECT,
  },
  run: (call) =>
    returning(call, async (state) => {
      const { deps, query, caller } = call;
      const { code, error, error_description: errorDescription } = query;
      const finished = finishConnection(deps, { state, code, error, errorDescription }, caller.source);
      if (!isBrowser(call)) return connectedAnswer(deps, await finished);
      const { status } = await finished.catch(async (thrown: unknown) => {
        const late =
          thrown instanceof PublicError && thrown.code === "connect_state_invalid"
            ? await lateReturn(deps, state)
            : undefined;
        if (late === undefined) throw thrown;
        return late;
      });
      return { status };
    }),
});

async function connectedAnswer(
  { database }: ApiDependencies,
  { tenantId, account, status }: Connection,
): Promise<object> {
  const tenant = await readTenant(database, tenantId);
  return {
    message: "Stripe account connected successfully",
    account_id: account,
    tenant: {
      id: tenantId,
      company_name: tenant.companyName,
      stripe_connect_account_id: status === "disconnected" ? null : account,
      stripe_connect_status: status,
    },
  };
}

export const renewAccountLink = operation({
  tag: TAG,
  query: Return,
  answers: { 200: Started, 302: REDIRECT },
  run: (call) =>
    returning(call, async (state) => {
      const started = await renewLink(call.deps, state, call.caller.source);
      return isBrowser(call) ? { to: started.url } : started;
    }),
});

type ReturnCall = Call<undefined, z.output<typeof Return>, undefined>;

/** A browser ends on a page, whatever happened; the address has a code in it, which no other site is to see. */
async function returning(call: ReturnCall, run: (state: string) => Promise<object>): Promise<unknown> {
  const { deps, reply, query } = call;
  reply.header("referrer-policy", "no-referrer");
  // A look at the headers alone uses nothing up.
  if (reply.request.method === "HEAD") return reply.send();
  const answer = async (): Promise<object> => {
    await countAsTry(call, "token");
    if (query.state === undefined) throw publicError("connect_state_invalid", { param: "state" });
    return run(query.state);
  };
  if (!isBrowser(call)) return answer();
  const page = await pageOf(deps, query.state);
  return reply.redirect(
    await answer()
      .then((done) => ("to" in done ? String(done.to) : withQuery(page, done)))
      .catch((thrown: unknown) => withQuery(page, failure(call, thrown))),
  );
}

function failure({ deps, requestId }: ReturnCall, thrown: unknown): object {
  const { code, title, status } = requestError(thrown);
  if (status >= 500) deps.log.error("a return from Stripe failed", { request_id: requestId, code, error: thrown });
  return { status: code === "connect_refused" && title === "access_denied" ? "denied" : "error", code };
}

const isBrowser = ({ headers }: Pick<ReturnCall, "headers">): boolean => headers.accept?.includes("text/html") === true;

async function pageOf({ database, people }: ApiDependencies, state: string | undefined): Promise<string> {
  const named = state === undefined ? undefined : await returnUrlOf(database, state);
  return named ?? `${people.frontendUrl}/dashboard/connect`;
}

function withQuery(page: string, told: object): string {
  const url = new URL(page);
  for (const [name, value] of Object.entries(told)) url.searchParams.set(name, String(value));
  return url.href;
}

const list = z.array(z.unknown());
const Status = z.discriminatedUnion("connected", [
  z.strictObject({
    connected: z.literal(true),
    account_id: z.string(),
    status: z.enum(["pending", "active", "restricted"]),
    charges_enabled: z.boolean(),
    payouts_enabled: z.boolean(),
    requirements: z.strictObject({
      currently_due: list,
      eventually_due: list,
      past_due: list,
      disabled_reason: z.string().nullable(),
    }),
    account_details: z.strictObject({
      email: z.string().nullable(),
      business_type: z.string().nullable(),
      country: z.string().nullable(),
      default_currency: z.string().nullable(),
      details_submitted: z.boolean(),
    }),
    refreshed: z.boolean().meta({ description: "False: Stripe did not answer for it now; this is what was known." }),
  }),
  z.strictObject({
    connected: z.literal(false),
    status: z.enum(["not_connected", "disconnected"]),
    message: z.string(),
  }),
]);

export const connectStatus = operation({
  tag: TAG,
  answers: { 200: Status },
  run: async (call) => {
    const tenant = { tenantId: tenantOf(call.caller).id, livemode: call.caller.livemode };
    return viewOfStatus(await accountStatus(call.deps, scopeOf(call), tenant));
  },
});

function viewOfStatus(found: AccountStatus): object {
  const { connected, status } = found;
  if (!connected) return { connected, status, message: "No Stripe account connected" };
  const { account, details, refreshed } = found;
  const listed = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return {
    connected,
    account_id: account,
    status,
    charges_enabled: details?.charges_enabled === true,
    payouts_enabled: details?.payouts_enabled === true,
    requirements: {
      currently_due: listed(details?.currently_due),
      eventually_due: listed(details?.eventually_due),
      past_due: listed(details?.past_due),
      disabled_reason: details?.disabled_reason ?? null,
    },
    account_details: {
      email: details?.email ?? null,
      business_type: details?.business_type ?? null,
      country: details?.country ?? null,
      default_currency: details?.default_currency ?? null,
      details_submitted: details?.details_submitted === true,
    },
    refreshed,
  };
}

export const disconnectAccount = operation({
  tag: TAG,
  body: z.strictObject({}).nullish(),
  answers: {
    200: z.strictObject({
      message: z.string(),
      tenant: z.strictObject({
        id: z.string(),
        stripe_connect_account_id: z.null(),
        stripe_connect_status: z.literal("disconnected"),
      }),
    }),
  },
  run: async (call) => {
    const { deps, caller } = call;
    const tenantId = tenantOf(caller).id;
    await disconnect(deps, scopeOf(call), { tenantId, livemode: caller.livemode }, actOf(caller));
    return {
      message: "Stripe account disconnected successfully",
      tenant: { id: tenantId, stripe_connect_account_id: null, stripe_connect_status: "disconnected" },
    };
  },
});
