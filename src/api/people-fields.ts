// What names, addresses and tokens of people may look like, and how people and tenants are answered: parts of schemas. Pure.
import { domainToASCII } from "node:url";

import { z } from "zod";

import { isOneAddress } from "../mail/queue-mail.ts";
import { MAX_TOKEN } from "../tenants/bearer-tokens.ts";
import { TENANT_ROLES } from "../tenants/memberships.ts";
import { isoTime } from "./query-fields.ts";

/** The statuses that an account may have. */
export const ACCOUNT_STATUSES = ["trial", "active", "past_due", "unpaid", "paused", "canceled"] as const;

const NO_ADDRESS = "must be an e-mail address";
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const TOP_LABEL = "[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])";
const NEW_ADDRESS = new RegExp(`^(?=[^@]{1,64}@)${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${TOP_LABEL}$`);

/** An address that somebody gives us: as HTML's `input type=email` takes it, with a domain of the public name system. */
export const email = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email({ pattern: NEW_ADDRESS, error: NO_ADDRESS }));

/**
 * An address that we may have already: whatever mail can go to. Buyers have the address that Stripe knows, which follows no
 * rule of ours, and sign in with it.
 */
export const knownEmail = z.string().trim().refine(isOneAddress, NO_ADDRESS).meta({ format: "idn-email" });

/** How good it is the policy says, in a sentence of its own. */
export const password = z
  .string()
  .min(1)
  .max(1000)
  .meta({ description: "At least 10 characters, none of the common ones." });

const PRINTABLE = /^[^\p{Cc}]*$/u;

export const line = (longest: number) =>
  z.string().trim().min(1).max(longest).regex(PRINTABLE, "must not contain control characters");

/** As `line`, without lone surrogates, which jsonb refuses: what is kept is what was sent. */
export const plainLine = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters");

export const domain = z
  .string()
  .trim()
  .max(253)
  .transform((text, context) => {
    const ascii = domainToASCII(text);
    if (/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(ascii)) return ascii;
    context.addIssue({ code: "custom", message: "must be a domain such as example.com" });
    return z.NEVER;
  });

export const mailedToken = z.string().min(1).max(MAX_TOKEN);

export const role = z.enum(TENANT_ROLES);

export const Message = z.strictObject({ message: z.string() }).meta({ id: "Message" });

const userFields = {
  id: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  email_verified: z.boolean(),
  created_at: isoTime,
};

export const User = z.strictObject(userFields).meta({ id: "User" });

export const Me = z
  .strictObject({
    ...userFields,
    account: z
      .strictObject({
        id: z.string(),
        livemode: z.boolean(),
        credit_balance: z.int(),
        is_trial_user: z.boolean(),
        status: z.enum(ACCOUNT_STATUSES),
      })
      .meta({ description: "The own account at the platform, in the request's mode: see `GET /account/`." }),
    tenants: z.array(z.strictObject({ id: z.string(), company_name: z.string(), role, platform: z.boolean() })),
  })
  .meta({ id: "Me" });

export const TenantAnswer = z
  .strictObject({
    id: z.string(),
    company_name: z.string(),
    domain: z.string().nullable(),
    stripe_connect_account_id: z.string().nullable(),
    stripe_connect_status: z.string(),
    created_at: isoTime,
  })
  .meta({ id: "Tenant" });

export const Tokens = z
  .strictObject({
    access: z.string().meta({ description: "A JWT for 15 minutes; its keys are at `/.well-known/jwks.json`." }),
    refresh: z.string().nullable().meta({ description: "For 30 days, once; null when it went into the cookie." }),
  })
  .meta({ id: "Tokens" });
