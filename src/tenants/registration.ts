// Registration: of a tenant with its first owner and keys, of a person's next tenant, or of a person with nothing but an account at the platform.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { idOfOperation, newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { openSecrets } from "../outbox/endpoint-secrets.ts";
import { firstEndpoint } from "../outbox/endpoint-table.ts";
import { makeFirstEndpoint } from "../outbox/first-endpoint.ts";
import { endKeys, makeKeys } from "./api-keys.ts";
import { KEY_TYPES } from "./key-format.ts";
import type { KeyType } from "./key-format.ts";
import { addMember, readMember } from "./memberships.ts";
import { hashPassword, passwordProblem } from "./passwords.ts";
import { mailToken, tokenPair } from "./people-context.ts";
import type { PeopleContext, TokenPair } from "./people-context.ts";
import { insertPerson } from "./people.ts";
import type { Person } from "./people.ts";
import { startSession } from "./sessions.ts";
import { insertTenant, readTenants } from "./tenant-table.ts";
import type { Tenant } from "./tenant-table.ts";

export interface PersonGiven {
  email: string;
  password: string;
  name: string | null;
}

export interface TenantGiven {
  companyName: string;
  domain: string;
}

export interface RegisteredPerson {
  person: Person;
  tokens: TokenPair;
}

export interface MadeTenant {
  tenant: Tenant;
  /** Whole: they are never shown again. */
  keys: Record<KeyType, string>;
  webhookSecret: string;
}

export type RegisteredTenant = RegisteredPerson & MadeTenant;

export async function registerTenant(
  context: PeopleContext,
  given: TenantGiven & PersonGiven,
  source: string | null,
): Promise<RegisteredTenant> {
  const passwordHash = await acceptedHash(given.password, [given.email, given.companyName, given.domain]);
  const registered = await context.database.transaction(async (tx) => {
    const person = await newPerson(tx, given, passwordHash);
    const made = await newTenant(tx, context, { ...given, id: newId("ten") }, { personId: person.id, source });
    const session = await startSession(tx, person.id, source);
    await mailToken(tx, context, "verify_address", person);
    return { person, ...made, session };
  });
  const { session, ...rest } = registered;
  return { ...rest, tokens: await tokenPair(context, session) };
}

/** Who makes a tenant, and from which address. */
interface Founder {
  personId: string;
  source: string | null;
}

/**
 * Another tenant of somebody who is known. A wish that was carried out before, and whose answer was lost, gives the same
 * tenant with other keys: nobody has seen the first ones. `operationId`: see `Call.idempotencyKey`.
 */
export async function registerAnotherTenant(
  context: PeopleContext,
  given: TenantGiven,
  founder: Founder,
  operationId: string | undefined,
): Promise<MadeTenant> {
  const id = idOfOperation("ten", operationId);
  return context.database.transaction(async (tx) => {
    const [before] = await readTenants(tx, [id]);
    if (before === undefined) return newTenant(tx, context, { ...given, id }, founder);
    // Others may have come, and the founder gone.
    if ((await readMember(tx, id, founder.personId))?.role !== "owner") throw publicError("not_found");
    return withOtherKeys(tx, context, before, founder);
  });
}

/** A tenant with its owner, its first endpoint and its keys. */
async function newTenant(
  tx: Queryable,
  context: PeopleContext,
  { id, companyName, domain }: TenantGiven & { id: string },
  { personId, source }: Founder,
): Promise<MadeTenant> {
  const tenant = await insertTenant(tx, { id, companyName, domain });
  const first = await makeFirstEndpoint(tx, context.ring, id);
  if (first === undefined) throw new Error("a new tenant's endpoint could not be stored");
  await addMember(tx, { tenantId: id, personId, role: "owner" });
  const keys = await makeKeys(tx, { tenantId: id, types: KEY_TYPES, brand: context.keyBrand, by: personId });
  await audit(tx, {
    tenantId: id,
    actor: { kind: "person", id: personId },
    action: "tenant.registered",
    target: id,
    source,
    after: { company_name: companyName, domain, owner: personId },
  });
  return { tenant, keys: keys as Record<KeyType, string>, webhookSecret: first.secret };
}

async function withOtherKeys(
  tx: Queryable,
  { ring, keyBrand: brand }: PeopleContext,
  tenant: Tenant,
  { personId, source }: Founder,
): Promise<MadeTenant> {
  const { id: tenantId } = tenant;
  const [types, reason] = [[...KEY_TYPES], "regenerated"];
  const ended = await endKeys(tx, { tenantId, types, reason, graceSeconds: 0, told: "key.regenerated" });
  const keys = await makeKeys(tx, { tenantId, types, brand, by: personId });
  const actor = { kind: "person", id: personId } as const;
  const change = { before: { types: ended }, after: { types, grace_seconds: 0 } };
  await audit(tx, { tenantId, actor, source, action: "api_keys.regenerated", target: tenantId, ...change });
  const first = await firstEndpoint(tx, tenantId);
  if (first === undefined) throw new Error(`the tenant ${tenantId} has no first endpoint`);
  const webhookSecret = openSecrets(ring, first, 0).secrets[0] ?? "";
  return { tenant, keys: keys as Record<KeyType, string>, webhookSecret };
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
