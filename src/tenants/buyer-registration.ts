// Somebody who has bought without an account: a person with nobody's password, and the mail by which they choose one.
import { randomBytes } from "node:crypto";

import { audit } from "../audit/audit-log.ts";
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { queueMail } from "../mail/queue-mail.ts";
import { issueToken } from "./one-time-tokens.ts";
import { hashPassword } from "./passwords.ts";
import { mailedLink } from "./people-context.ts";
import { insertPerson, type Person } from "./people.ts";

/** The mail itself may come a day late. */
const LINK_HOURS = 72;

export interface NewBuyer {
  email: string;
  name: string | null;
  /** From `nobodysPassword`. */
  passwordHash: string;
  /** What they have bought: one mail is sent for it. */
  cause: string;
}

/** The hash of a password that nobody has ever seen. Made before a transaction begins: it takes 40 ms. */
export function nobodysPassword(): Promise<string> {
  return hashPassword(randomBytes(32).toString("base64url"));
}

/**
 * In the caller's commit. The address counts as unverified until the mailed link is used. Undefined, and nothing is done,
 * when somebody has this address already: to pay is no proof that it is one's own.
 */
export async function registerBuyer(
  tx: Queryable,
  { frontendUrl }: { frontendUrl: string },
  { email, name, passwordHash, cause }: NewBuyer,
): Promise<Person | undefined> {
  const person = await insertPerson(tx, { id: newId("usr"), email, name, passwordHash, verified: false });
  if (person === undefined) return undefined;
  const token = await issueToken(tx, { purpose: "reset_password", personId: person.id, email, hours: LINK_HOURS });
  await queueMail(tx, {
    tenantId: null,
    cause: `welcome:${cause}`,
    to: email,
    template: "welcome",
    fields: {
      link: mailedLink(frontendUrl, "reset_password", token),
      name: name ?? "",
      valid_for: `${String(LINK_HOURS)} hours`,
    },
  });
  await audit(tx, {
    tenantId: null,
    actor: { kind: "system", id: null },
    action: "person.registered",
    target: person.id,
    source: null,
    after: { by: cause },
  });
  return person;
}
