// What is done by mailed links: a forgotten password, an address that is verified.
import { audit } from "../audit/audit-log.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import { readToken, redeemToken } from "./one-time-tokens.ts";
import { mailToken } from "./people-context.ts";
import type { PeopleContext } from "./people-context.ts";
import { findPerson, lockPerson, readPerson, setPassword, setVerified } from "./people.ts";
import { acceptedHash } from "./registration.ts";
import { endSessions } from "./sessions.ts";

/** Mails a link where the address is known. The caller answers the same either way. */
export async function askForReset(context: PeopleContext, email: string, source: string | null): Promise<void> {
  await context.database.transaction(async (tx) => {
    const person = await findPerson(tx, email);
    if (person !== undefined) await mailToken(tx, context, "reset_password", person);
    await audit(tx, {
      tenantId: null,
      actor: { kind: "person", id: person?.id ?? null },
      action: "password.reset_requested",
      target: person?.id ?? null,
      source,
    });
  });
}

/** Throws `one_time_token_invalid` or `password_weak`. Ends all sessions; the address is verified, because the link came there. */
export async function resetPassword(
  context: PeopleContext,
  { token, password }: { token: string; password: string },
  source: string | null,
): Promise<void> {
  // Whose password it becomes decides what it may be; and a guessed token costs no argon2.
  const found = await readToken(context.database, "reset_password", token);
  if (found === undefined) throw invalidToken();
  const person = await readPerson(context.database, found.personId);
  const passwordHash = await acceptedHash(password, [found.email, person?.name ?? ""]);
  await context.database.transaction(async (tx) => {
    // Whoever sets a password locks the person before the links: two that do it at once wait for each other, never crosswise.
    await lockPerson(tx, found.email);
    const redeemed = await redeemToken(tx, "reset_password", token);
    if (redeemed === undefined) throw invalidToken();
    const { personId, email } = redeemed;
    await setPassword(tx, personId, passwordHash);
    await setVerified(tx, personId, email);
    await endSessions(tx, personId, "password_reset");
    await audit(tx, {
      tenantId: null,
      actor: { kind: "person", id: personId },
      action: "password.reset",
      target: personId,
      source,
    });
  });
}

const invalidToken = (): PublicError => publicError("one_time_token_invalid", { param: "token" });

/** Throws `one_time_token_invalid`. */
export async function verifyAddress(context: PeopleContext, token: string, source: string | null): Promise<void> {
  await context.database.transaction(async (tx) => {
    const redeemed = await redeemToken(tx, "verify_address", token);
    const verified = redeemed !== undefined && (await setVerified(tx, redeemed.personId, redeemed.email));
    if (!verified) throw invalidToken();
    await audit(tx, {
      tenantId: null,
      actor: { kind: "person", id: redeemed.personId },
      action: "address.verified",
      target: redeemed.personId,
      source,
    });
  });
}

/** Mails the link again, unless the address is verified. */
export async function mailVerification(context: PeopleContext, personId: string): Promise<void> {
  await context.database.transaction(async (tx) => {
    const person = await readPerson(tx, personId);
    if (person?.emailVerifiedAt === null) await mailToken(tx, context, "verify_address", person);
  });
}
