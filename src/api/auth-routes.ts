// Routes of people: registration, sign-in, sessions.
import { z } from "zod";

import { PublicError, publicError } from "../base/errors.ts";
import { viewOfPerson } from "../tenants/people.ts";
import type { Person } from "../tenants/people.ts";
import type { TokenPair } from "../tenants/people-context.ts";
import { forgive } from "../tenants/rate-limits.ts";
import { type MadeTenant, registerAnotherTenant, registerPerson, registerTenant } from "../tenants/registration.ts";
import { refreshSession, signIn, signOut } from "../tenants/sign-in.ts";
import { viewOfTenant } from "../tenants/tenant-table.ts";
import { personOf } from "./caller.ts";
import {
  domain,
  email,
  knownEmail,
  line,
  mailedToken,
  Message,
  password,
  TenantAnswer,
  Tokens,
  User,
} from "./people-fields.ts";
import { cookieToken, noRefreshCookie, refreshCookie } from "./refresh-cookie.ts";
import { operation } from "./route.ts";
import type { Call } from "./route.ts";
import { countAsTry } from "./tries.ts";

const TAG = "People and sessions";

export const intoCookie = z
  .boolean()
  .default(false)
  .meta({ description: "For browsers: the refresh token goes into an HttpOnly cookie, not into the body." });

export const Session = z.strictObject({ user: User, tokens: Tokens }).meta({ id: "Session" });

const tenantFields = { company_name: line(200), domain };

const madeFields = {
  message: z.string(),
  tenant: TenantAnswer,
  api_keys: z
    .strictObject({
      live_public: z.string(),
      live_secret: z.string(),
      test_public: z.string(),
      test_secret: z.string(),
    })
    .meta({ description: "The only time that the secret ones are shown whole." }),
  webhook_secret: z.string(),
};

function viewOfMade({ tenant, keys, webhookSecret }: MadeTenant) {
  return {
    message: "Registered. Store the keys and the webhook secret now: they are not shown again.",
    tenant: viewOfTenant(tenant, undefined),
    api_keys: keys,
    webhook_secret: webhookSecret,
  };
}

export const registerTenantRoute = operation({
  tag: TAG,
  body: z.strictObject({ ...tenantFields, email, password, name: line(200).optional(), cookie: intoCookie }),
  answers: { 201: z.strictObject({ ...madeFields, user: User, tokens: Tokens }) },
  run: async (call) => {
    const { deps, body, reply, caller } = call;
    await countAsTry(call, "registration", body.email);
    const given = { ...body, companyName: body.company_name, name: body.name ?? null };
    const { person, tokens, ...made } = await registerTenant(deps.people, given, caller.source);
    reply.status(201);
    return { ...viewOfMade(made), ...sessionAnswer(call, { person, tokens }, body.cookie) };
  },
});

export const createTenantRoute = operation({
  tag: TAG,
  body: z.strictObject(tenantFields),
  idempotent: true,
  answers: { 201: z.strictObject(madeFields) },
  run: async (call) => {
    const { deps, body, reply, caller, idempotencyKey } = call;
    const { personId } = personOf(caller);
    await countAsTry(call, "registration", personId);
    const founder = { personId, source: caller.source };
    const given = { companyName: body.company_name, domain: body.domain };
    const made = await registerAnotherTenant(deps.people, given, founder, idempotencyKey);
    reply.status(201);
    return viewOfMade(made);
  },
});

export const registerPersonRoute = operation({
  tag: TAG,
  body: z.strictObject({ email, password, name: line(200).optional(), cookie: intoCookie }),
  answers: { 201: Session },
  run: async (call) => {
    const { deps, body, reply, caller } = call;
    await countAsTry(call, "registration", body.email);
    const registered = await registerPerson(deps.people, { ...body, name: body.name ?? null }, caller.source);
    reply.status(201);
    return sessionAnswer(call, registered, body.cookie);
  },
});

export const login = operation({
  tag: TAG,
  body: z.strictObject({ email: knownEmail, password, cookie: intoCookie }),
  answers: { 200: Session },
  run: async (call) => {
    const { deps, body, caller } = call;
    await countAsTry(call, "sign_in", body.email);
    const signedIn = await signIn(deps.people, body, caller.source);
    await forgive(deps.database, "sign_in", body.email);
    return sessionAnswer(call, signedIn, body.cookie);
  },
});

const RefreshBody = z
  .strictObject({ refresh: mailedToken.optional() })
  .nullish()
  .meta({ description: "Without `refresh` the cookie's token is taken." });

export const refresh = operation({
  tag: TAG,
  body: RefreshBody,
  answers: { 200: Session },
  run: async (call) => {
    const { deps, body, headers, caller, reply } = call;
    await countAsTry(call, "token");
    const given = body?.refresh;
    const token = given ?? cookieToken(headers, deps);
    if (token === undefined) {
      throw publicError("refresh_token_invalid", { message: "Send the refresh token in the body or in its cookie." });
    }
    try {
      return sessionAnswer(call, await refreshSession(deps.people, token, caller.source), given === undefined);
    } catch (error) {
      // Of no other failure is it known that the cookie's token is worth nothing: most pass, and the next try goes on.
      const isDead = error instanceof PublicError && error.code === "refresh_token_invalid";
      if (isDead && given === undefined) reply.header("set-cookie", noRefreshCookie(deps));
      throw error;
    }
  },
});

export const logout = operation({
  tag: TAG,
  body: RefreshBody,
  answers: { 200: Message },
  run: async (call) => {
    const { deps, body, headers, reply, caller } = call;
    await countAsTry(call, "token");
    const fromCookie = cookieToken(headers, deps);
    for (const token of new Set([body?.refresh, fromCookie])) {
      if (token !== undefined) await signOut(deps.people, token, caller.source);
    }
    reply.header("set-cookie", noRefreshCookie(deps));
    return { message: "Signed out." };
  },
});

export const jwks = operation({
  tag: TAG,
  answers: { 200: z.strictObject({ keys: z.array(z.record(z.string(), z.string())) }) },
  logged: "debug",
  run: async ({ deps, reply }) => {
    // An hour: whoever meets an unknown `kid` asks again.
    reply.header("cache-control", "public, max-age=3600");
    return deps.people.tokens.jwks();
  },
});

/** The session as the wire has it; a token for the cookie is in no body. */
export function sessionAnswer<Params, Query, Body>(
  { deps, reply }: Call<Params, Query, Body>,
  { person, tokens }: { person: Person; tokens: TokenPair },
  cookie: boolean,
): { user: z.output<typeof User>; tokens: z.output<typeof Tokens> } {
  if (cookie) reply.header("set-cookie", refreshCookie(tokens.refresh, deps));
  return { user: viewOfPerson(person), tokens: { access: tokens.access, refresh: cookie ? null : tokens.refresh } };
}
