// Signing in and out, and going on with a session.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { verifyPassword } from "./passwords.ts";
import { tokenPair } from "./people-context.ts";
import type { PeopleContext, TokenPair } from "./people-context.ts";
import { findPerson, keepsPassword, readPerson } from "./people.ts";
import type { Person } from "./people.ts";
import { endByRefreshToken, rotateRefreshToken, startSession } from "./sessions.ts";
import type { StartedSession } from "./sessions.ts";

export interface SignedInAnswer {
  person: Person;
  tokens: TokenPair;
}

/** Throws `credentials_invalid`, after the same time and the same work for an unknown address as for a wrong password. */
export async function signIn(
  context: PeopleContext,
  { email, password }: { email: string; password: string },
  source: string | null,
): Promise<SignedInAnswer> {
  const person = await findPerson(context.database, email);
  const right = await verifyPassword(password, person?.passwordHash);
  const session = person !== undefined && right ? await sessionFor(context, person, source) : undefined;
  if (person === undefined || session === undefined) {
    await audit(context.database, {
      tenantId: null,
      actor: { kind: "person", id: person?.id ?? null },
      action: "sign_in.failed",
      target: person?.id ?? null,
      source,
    });
    throw publicError("credentials_invalid");
  }
  return { person, tokens: await tokenPair(context, session) };
}

/** Undefined: the password was changed while argon2 compared it; that change has ended all sessions, and none begins behind it. */
async function sessionFor(
  { database }: PeopleContext,
  { id, passwordHash }: { id: string; passwordHash: string },
  source: string | null,
): Promise<StartedSession | undefined> {
  return database.transaction(async (tx) => {
    if (!(await keepsPassword(tx, id, passwordHash))) return undefined;
    const actor = { kind: "person", id } as const;
    await audit(tx, { tenantId: null, actor, action: "sign_in.succeeded", target: id, source });
    return startSession(tx, id, source);
  });
}

/** Throws `refresh_token_invalid`; a token that was used before ends its family first. */
export async function refreshSession(
  context: PeopleContext,
  refresh: string,
  source: string | null,
): Promise<SignedInAnswer> {
  const found = await context.database.transaction(async (tx) => {
    const rotation = await rotateRefreshToken(tx, refresh);
    if (rotation.outcome === "reused") {
      await audit(tx, {
        tenantId: null,
        actor: { kind: "system", id: null },
        action: "session.ended_by_reuse",
        target: rotation.personId,
        source,
      });
    }
    if (rotation.outcome !== "rotated") return undefined;
    const person = await readPerson(tx, rotation.personId);
    return person === undefined ? undefined : { person, session: rotation };
  });
  if (found === undefined) throw publicError("refresh_token_invalid");
  return { person: found.person, tokens: await tokenPair(context, found.session) };
}

/** Ends the session; does nothing for a token that is none. */
export async function signOut(context: PeopleContext, refresh: string, source: string | null): Promise<void> {
  await context.database.transaction(async (tx) => {
    const personId = await endByRefreshToken(tx, refresh);
    if (personId === undefined) return;
    await audit(tx, {
      tenantId: null,
      actor: { kind: "person", id: personId },
      action: "session.ended",
      target: personId,
      source,
    });
  });
}
