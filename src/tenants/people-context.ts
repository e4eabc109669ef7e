// What the acts of people work with, and who acts from where.
import type { KeyRing } from "../base/key-ring.ts";
import type { Database, Queryable } from "../db/database.ts";
import { queueMail } from "../mail/queue-mail.ts";
import type { AccessTokens } from "./access-tokens.ts";
import { hashOf } from "./bearer-tokens.ts";
import { issueToken, VALID_HOURS } from "./one-time-tokens.ts";
import type { Purpose } from "./one-time-tokens.ts";
import type { StartedSession } from "./sessions.ts";

export interface PeopleContext {
  database: Database;
  tokens: AccessTokens;
  ring: KeyRing;
  /** Where mailed links lead. Without a slash at its end. */
  frontendUrl: string;
  /** API_KEY_PREFIX, or empty. */
  keyBrand: string;
}

export interface Actor {
  kind: "person" | "key" | "operator" | "system";
  id: string | null;
}

/** Who does it, and from which address. */
export interface Act {
  actor: Actor;
  source: string | null;
}

export interface TokenPair {
  access: string;
  refresh: string;
}

export async function tokenPair(context: PeopleContext, session: StartedSession): Promise<TokenPair> {
  return { access: await context.tokens.sign(session), refresh: session.refresh };
}

const PAGES: Record<Purpose | "invitation" | "sign_in", string> = {
  verify_address: "verify-address",
  reset_password: "reset-password",
  invitation: "invitation",
  sign_in: "sign-in/link",
};

/** The token stands behind the #: no server's log and no Referer header sees it. */
export function mailedLink(frontendUrl: string, page: keyof typeof PAGES, token: string): string {
  return `${frontendUrl}/${PAGES[page]}#token=${token}`;
}

/** A new token and the mail that brings it, in the caller's commit. */
export async function mailToken(
  tx: Queryable,
  { frontendUrl }: PeopleContext,
  purpose: Purpose,
  { id, email, name }: { id: string; email: string; name: string | null },
): Promise<void> {
  const token = await issueToken(tx, { purpose, personId: id, email });
  await queueMail(tx, {
    tenantId: null,
    cause: `${purpose}:${hashOf(token).toString("hex")}`,
    to: email,
    template: purpose,
    fields: {
      link: mailedLink(frontendUrl, purpose, token),
      name: name ?? "",
      valid_for: VALID_HOURS[purpose] === 1 ? "1 hour" : `${VALID_HOURS[purpose]} hours`,
    },
  });
}
