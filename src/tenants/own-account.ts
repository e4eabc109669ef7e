// What people see and change of themselves: profile, tenants, password.
import { audit } from "../audit/audit-log.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import type { Membership, TenantRole } from "./memberships.ts";
import { verifyPassword } from "./passwords.ts";
import type { Act, PeopleContext } from "./people-context.ts";
import { readPerson, replacePassword, setName, viewOfPerson } from "./people.ts";
import type { Person, PersonView } from "./people.ts";
import { acceptedHash } from "./registration.ts";
import { endSessions, isOpenSession } from "./sessions.ts";
import { readTenants } from "./tenant-table.ts";

export interface MeView extends PersonView {
  tenants: { id: string; company_name: string; role: TenantRole; platform: boolean }[];
}

export async function readMe(
  { database }: PeopleContext,
  personId: string,
  memberships: readonly Membership[],
): Promise<MeView> {
  const person = await mustRead(database, personId);
  const tenants = await readTenants(
    database,
    memberships.map(({ tenantId }) => tenantId),
  );
  return {
    ...viewOfPerson(person),
    tenants: tenants.flatMap(({ id, companyName, platform }) => {
      const role = memberships.find(({ tenantId }) => tenantId === id)?.role;
      return role === undefined ? [] : [{ id, company_name: companyName, role, platform }];
    }),
  };
}

export async function changeName({ database }: PeopleContext, personId: string, name: string | null): Promise<void> {
  await setName(database, personId, name);
}

/**
 * Throws `credentials_invalid` or `password_weak`; `unauthorized` when the own session has ended. Ends every other session.
 */
export async function changePassword(
  context: PeopleContext,
  given: { personId: string; sessionId: string; current: string; password: string },
  act: Act,
): Promise<void> {
  const person = await mustRead(context.database, given.personId);
  if (!(await verifyPassword(given.current, person.passwordHash))) throw notTheCurrentOne();
  const passwordHash = await acceptedHash(given.password, [person.email, person.name ?? ""], "new_password");
  await context.database.transaction(async (tx) => {
    // argon2 has taken 80 ms since the password was read: a reset that came between has the last word.
    const replaced = await replacePassword(tx, person.id, { from: person.passwordHash, to: passwordHash });
    if (!replaced) throw notTheCurrentOne();
    if (!(await isOpenSession(tx, person.id, given.sessionId))) throw publicError("unauthorized");
    await endSessions(tx, person.id, "password_changed", given.sessionId);
    await audit(tx, { tenantId: null, ...act, action: "password.changed", target: person.id });
  });
}

const notTheCurrentOne = (): PublicError =>
  publicError("credentials_invalid", {
    message: "The current password is another one: check it.",
    param: "current_password",
  });

async function mustRead(
  database: PeopleContext["database"],
  personId: string,
): Promise<Person & { passwordHash: string }> {
  const person = await readPerson(database, personId);
  if (person === undefined) throw publicError("unauthorized");
  return person;
}
