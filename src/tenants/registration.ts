// Registration: of a tenant with its first owner and keys, or of a person with nothing but an account at the platform.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { makeFirstEndpoint } from "../outbox/first-endpoint.ts";
import { makeKeys } from "./api-keys.ts";
import { KEY_TYPES } from "./key-format.ts";
import type { KeyType } from "./key-format.ts";
import { addMember } from "./memberships.ts";
import { hashPassword, passwordProblem } from "./passwords.ts";
import { mailToken, tokenPair } from "./people-context.ts";
import type { PeopleContext, TokenPair } from "./people-context.ts";
import { insertPerson } from "./people.ts";
import type { Person } from "./people.ts";
import { startSession } from "./sessions.ts";
import { insertTenant } from "./tenant-table.ts";
import type { Tenant } from "./tenant-table.ts";

export interface PersonGiven {
  email: string;
  password: string;
  name: string | null;
}

export interface TenantGiven extends PersonGiven {
  companyName: string;
  domain: string;
}

export interface RegisteredPerson {
  person: Person;
  tokens: TokenPair;
}

export interface RegisteredTenant extends RegisteredPerson {
  tenant: Tenant;
  /** Whole: they are never shown again. */
  keys: Record<KeyType, string>;
  webhookSecret: string;
}

export async function registerTenant(
  context: PeopleContext,
  given: TenantGiven,
  source: string | null,
): Promise<RegisteredTenant> {
  const passwordHash = await acceptedHash(given.password, [given.email, given.companyName, given.domain]);
  const id = newId("ten");
  const registered = await context.database.transaction(async (tx) => {
    const person = await newPerson(tx, given, passwordHash);
    const tenant = await insertTenant(tx, { id, companyName: given.companyName, domain: given.domain });
    const first = await makeFirstEndpoint(tx, context.ring, id);
    if (first === undefined) throw new Error("a new tenant's endpoint could not be stored");
    await addMember(tx, { tenantId: id, personId: person.id, role: "owner" });
    const keys = await makeKeys(tx, { tenantId: id, types: KEY_TYPES, brand: context.keyBrand, by: person.id });
    const session = await startSession(tx, person.id, source);
    await mailToken(tx, context, "verify_address", person);
    await audit(tx, {
      tenantId: id,
      actor: { kind: "person", id: person.id },
      action: "tenant.registered",
      target: id,
      source,
      after: { company_name: given.companyName, domain: given.domain, owner: person.id },
    });
    return { person, tenant, keys: keys as Record<KeyType, string>, webhookSecret: first.secret, session };
  });
  const { session, ...rest } = registered;
  return { ...rest, tokens: await tokenPair(context, session) };
}

export async function registerPerson(
  context: PeopleContext,
  given: PersonGiven,
  source: string | null,
): Promise<RegisteredPerson> {
  const passwordHash = await acceptedHash(given.password, [given.email, given.name ?? ""]);
  const { person, session } = await context.database.transaction(async (tx) => {
    const registered = await newPerson(tx, given, passwordHash);
    await mailToken(tx, context, "verify_address", registered);
    await audit(tx, {
      tenantId: null,
      actor: { kind: "person", id: registered.id },
      action: "person.registered",
      target: registered.id,
      source,
    });
    return { person: registered, session: await startSession(tx, registered.id, source) };
  });
  return { person, tokens: await tokenPair(context, session) };
}

/** Hashed before a transaction begins: it takes 40 ms. Throws `password_weak`. */
export async function acceptedHash(password: string, known: readonly string[], param = "password"): Promise<string> {
  const problem = await passwordProblem(password, known);
  if (problem !== undefined) throw publicError("password_weak", { message: problem, param });
  return hashPassword(password);
}

async function newPerson(tx: Queryable, { email, name }: PersonGiven, passwordHash: string): Promise<Person> {
  const person = await insertPerson(tx, { id: newId("usr"), email, name, passwordHash, verified: false });
  if (person === undefined) throw publicError("email_taken", { param: "email" });
  return person;
}
