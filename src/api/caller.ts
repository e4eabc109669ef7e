// Who is calling: from the request's headers to a person in a tenant, a key, or the operator, and whether the route is for them.
import { type AccountSession, readAccountSession } from "../accounts/account-sessions.ts";
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { sameSecret } from "../base/secret.ts";
import { type TenantScope, tenantScope } from "../db/tenant-scope.ts";
import { findKeyHolder, keyWorks } from "../tenants/api-keys.ts";
import type { KeyHolder } from "../tenants/api-keys.ts";
import { findSignedIn } from "../tenants/callers.ts";
import type { SignedIn } from "../tenants/callers.ts";
import { readKey } from "../tenants/key-format.ts";
import { includes } from "../tenants/memberships.ts";
import type { Membership, TenantRole } from "../tenants/memberships.ts";
import type { Act } from "../tenants/people-context.ts";
import type { ApiDependencies, Who } from "./route.ts";

export type Identity =
  /** Without a token. */
  | { kind: "nobody" }
  /** With a token that is none, or none any more. */
  | { kind: "unknown" }
  | { kind: "operator" }
  | { kind: "person"; person: SignedIn }
  | { kind: "key"; key: KeyHolder }
  /** A tenant's customer, for one account. */
  | { kind: "account"; session: AccountSession };

export interface Caller {
  identity: Identity;
  /** The tenant that the call is about, on routes for a tenant's people, keys and customers. */
  tenant: { id: string; /** Null: a key, or a customer. */ role: TenantRole | null } | undefined;
  livemode: boolean;
  /** The address that the request came from. */
  source: string;
}

export interface CallerHeaders {
  authorization?: string | undefined;
  "billhook-tenant"?: string | string[] | undefined;
  "billhook-mode"?: string | string[] | undefined;
}

type Deps = Pick<
  ApiDependencies,
  "database" | "people" | "operatorToken" | "platformTenant" | "livemode" | "keyUse" | "clock" | "publicUrl"
>;

/** What a tenant's route asks for: the least role, and whether a secret key stands in for it. */
const TENANT_ROUTES: Partial<Record<Who, { role: TenantRole; keys: boolean }>> = {
  member: { role: "member", keys: true },
  admin: { role: "admin", keys: true },
  "admin person": { role: "admin", keys: false },
  owner: { role: "owner", keys: false },
};

export const NOBODY: Identity = { kind: "nobody" };

export interface Asking {
  /** From `identify`. */
  identity: Identity;
  headers: CallerHeaders;
  /** The address that the request came from. */
  source: string;
}

/** Throws `unauthorized` for who cannot be told, `forbidden` for who may not, `not_found` for another's tenant. */
export function admit(deps: Deps, who: Who, { identity, headers, source }: Asking): Caller {
  if (who === "anyone" || who === "stripe") return { identity, tenant: undefined, livemode: deps.livemode, source };
  if (identity.kind === "nobody" || identity.kind === "unknown") throw publicError("unauthorized");
  const caller: Caller = { identity, tenant: undefined, livemode: modeOf(identity, headers, deps.livemode), source };
  if (who === "operator") {
    if (!isOperator(identity, deps.platformTenant)) throw publicError("forbidden");
    return caller;
  }
  if (who === "account user") return { ...caller, tenant: customerOf(deps, identity, headers) };
  if (who === "secret key") return { ...caller, tenant: keyHolderOf(identity, headers) };
  const wanted = TENANT_ROUTES[who];
  if (wanted === undefined) {
    if (identity.kind !== "person") throw publicError("forbidden", { message: PERSON_ONLY });
    return caller;
  }
  return { ...caller, tenant: tenantFor(identity, wanted, headers) };
}

/**
 * Whose requests a call is one of, also where it is refused: for limits. A person's only where the route is a tenant's; a
 * public key's or a customer's never: what visitors of a page send as often as they like uses up nothing of the tenant's own.
 */
export function tenantAskedFor(who: Who, { identity, headers }: Asking): string | undefined {
  if (identity.kind === "key") return identity.key.kind === "public" ? undefined : identity.key.tenantId;
  if (identity.kind !== "person" || TENANT_ROUTES[who] === undefined) return undefined;
  const { memberships } = identity.person;
  const named = headers["billhook-tenant"];
  if (named === undefined) return memberships.length === 1 ? memberships[0]?.tenantId : undefined;
  return memberships.find(({ tenantId }) => tenantId === named)?.tenantId;
}

/** Whose published rows a call on an open route is about, and whether it may see those that are not published. */
export interface Reader {
  tenantId: string;
  livemode: boolean;
  all: boolean;
}

/**
 * On a route for anyone: without a token the platform's; with a key, an account session or a tenant's person that tenant's.
 * All of them for a secret key, a tenant's person and the operator. Throws `unauthorized` for a token that is none.
 */
export function readerOf(deps: Deps, { identity }: Caller, headers: CallerHeaders): Reader {
  if (identity.kind === "unknown") throw publicError("unauthorized");
  const livemode = modeOf(identity, headers, deps.livemode);
  if (identity.kind === "key") {
    return { tenantId: ownTenant(identity.key.tenantId, headers), livemode, all: identity.key.kind !== "public" };
  }
  if (identity.kind === "account") {
    return { tenantId: ownTenant(identity.session.tenantId, headers), livemode, all: false };
  }
  if (identity.kind !== "person") {
    const tenantId = ownTenant(deps.platformTenant, headers);
    return { tenantId, livemode, all: identity.kind === "operator" };
  }
  const { memberships } = identity.person;
  const named = tenantNamed(headers);
  if (named === undefined && memberships.length !== 1) return { tenantId: deps.platformTenant, livemode, all: false };
  return { tenantId: membershipFor(memberships, named).tenantId, livemode, all: true };
}

/** A person who signs in reaches the platform's account of theirs, an account session the one that it was made for. */
function customerOf(deps: Deps, identity: Identity, headers: CallerHeaders): Caller["tenant"] {
  if (identity.kind === "person") return { id: deps.platformTenant, role: null };
  if (identity.kind !== "account") throw publicError("forbidden", { message: CUSTOMER_ONLY });
  return { id: ownTenant(identity.session.tenantId, headers), role: null };
}

function keyHolderOf(identity: Identity, headers: CallerHeaders): Caller["tenant"] {
  if (identity.kind !== "key") throw publicError("forbidden", { message: "This is for a tenant's secret key." });
  return { id: ownTenant(identity.key.tenantId, headers, identity.key), role: null };
}

/** The token names the tenant; the header may only say the same. Throws `forbidden` for a public key. */
function ownTenant(tenantId: string, headers: CallerHeaders, key?: KeyHolder): string {
  const named = tenantNamed(headers);
  if (named !== undefined && named !== tenantId) throw publicError("not_found", { message: NO_TENANT });
  if (key?.kind === "public") throw publicError("forbidden", { message: SECRET_ONLY });
  return tenantId;
}

const SECRET_ONLY = "A public key may not do that: use a secret one.";
const CUSTOMER_ONLY =
  "This is for a customer: send the access token of a person who has signed in, or an account session's token.";
const PERSON_ONLY = "This is for people who have signed in: send an access token instead.";

/** Who a token says that calls: on open routes too, some of which show more to a tenant's own. */
export async function identify(deps: Deps, authorization: string | undefined): Promise<Identity> {
  if (authorization === undefined) return { kind: "nobody" };
  const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
  return (token === undefined ? undefined : await holderOf(deps, token)) ?? { kind: "unknown" };
}

async function holderOf(deps: Deps, token: string): Promise<Identity | undefined> {
  if (sameSecret(token, deps.operatorToken)) return { kind: "operator" };
  if (readKey(token) !== undefined) {
    const key = await findKeyHolder(deps.database, token);
    if (key === undefined) return undefined;
    deps.keyUse.used(key.id);
    return { kind: "key", key };
  }
  // Nothing else of ours has dots.
  if (!token.includes(".")) return undefined;
  const access = await deps.people.tokens.verify(token);
  if (access === undefined) return identifyCustomer(deps, token);
  const person = await findSignedIn(deps.database, access);
  return person === undefined ? undefined : { kind: "person", person };
}

/** Ends with its key, at once and on every node. */
async function identifyCustomer(deps: Deps, token: string): Promise<Identity | undefined> {
  const session = await readAccountSession(deps, token);
  if (session === undefined || !(await keyWorks(deps.database, session.keyId))) return undefined;
  return { kind: "account", session };
}

/** OPERATOR_TOKEN, or an owner or admin of the platform; never a key. */
function isOperator(identity: Identity, platformTenant: string): boolean {
  if (identity.kind === "operator") return true;
  if (identity.kind !== "person") return false;
  const membership = identity.person.memberships.find(({ tenantId }) => tenantId === platformTenant);
  return membership !== undefined && includes(membership.role, "admin");
}

function tenantFor(
  identity: Identity,
  wanted: { role: TenantRole; keys: boolean },
  headers: CallerHeaders,
): Caller["tenant"] {
  const named = tenantNamed(headers);
  if (identity.kind === "key") {
    const id = ownTenant(identity.key.tenantId, headers, identity.key);
    if (!wanted.keys) throw publicError("forbidden", { message: PERSON_ONLY });
    return { id, role: null };
  }
  if (identity.kind !== "person") throw publicError("forbidden", { message: PERSON_ONLY });
  const { tenantId, role } = membershipFor(identity.person.memberships, named);
  if (!includes(role, wanted.role)) {
    throw publicError("forbidden", { message: `This is for the role ${wanted.role}: ask an owner of the tenant.` });
  }
  return { id: tenantId, role };
}

const NO_TENANT = "There is no tenant of yours with this id: check the header Billhook-Tenant.";

/** Another's tenant is not there, whether it exists or not. */
function membershipFor(memberships: readonly Membership[], named: string | undefined): Membership {
  const [only, ...others] = memberships;
  if (named === undefined) {
    if (only === undefined || others.length > 0) throw publicError("tenant_required");
    return only;
  }
  const found = memberships.find(({ tenantId }) => tenantId === named);
  if (found === undefined) throw publicError("not_found", { message: NO_TENANT });
  return found;
}

function tenantNamed(headers: CallerHeaders): string | undefined {
  const named = headers["billhook-tenant"];
  if (named === undefined || (typeof named === "string" && isId(named, "ten"))) return named;
  throw publicError("not_found", { message: NO_TENANT });
}

/** A key fixes it; a person may say it. */
function modeOf(identity: Identity, headers: CallerHeaders, fallback: boolean): boolean {
  const named = headers["billhook-mode"];
  const fixed =
    identity.kind === "key"
      ? identity.key.livemode
      : identity.kind === "account"
        ? identity.session.livemode
        : undefined;
  if (named === undefined) return fixed ?? fallback;
  if (named !== "live" && named !== "test") {
    throw publicError("invalid_request", { message: "The header Billhook-Mode must be `live` or `test`." });
  }
  const livemode = named === "live";
  if (fixed !== undefined && fixed !== livemode) {
    throw publicError("invalid_request", {
      message: "The token is of the other mode: leave the header Billhook-Mode out, or use one of that mode.",
    });
  }
  return livemode;
}

/** The person who calls, on a route that is for people. */
export function personOf({ identity }: Caller): SignedIn {
  if (identity.kind !== "person") throw new Error("the route let somebody in who is no person");
  return identity.person;
}

/** The tenant that the call is about, on a tenant's route. */
export function tenantOf({ tenant }: Caller): { id: string; role: TenantRole | null } {
  if (tenant === undefined) throw new Error("the route is not a tenant's");
  return tenant;
}

/** The caller's tenant's rows and no others: the handle of a tenant's routes. */
export function scopeOf({ deps, caller }: { deps: Pick<ApiDependencies, "apiDatabase">; caller: Caller }): TenantScope {
  return tenantScope(deps.apiDatabase, { tenantId: tenantOf(caller).id });
}

/** For the audit log. */
export function actOf({ identity, source }: Caller): Act {
  switch (identity.kind) {
    case "nobody":
    case "unknown":
      return { actor: { kind: "system", id: null }, source };
    case "operator":
      return { actor: { kind: "operator", id: null }, source };
    case "person":
      return { actor: { kind: "person", id: identity.person.personId }, source };
    case "key":
      return { actor: { kind: "key", id: identity.key.id }, source };
    case "account":
      // Whoever holds the key has let them in.
      return { actor: { kind: "key", id: identity.session.keyId }, source };
  }
}
