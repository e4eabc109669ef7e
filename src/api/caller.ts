// Who is calling: from the request's headers to a person in a tenant, a key, or the operator, and whether the route is for them.
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { sameSecret } from "../base/secret.ts";
import { findKeyHolder } from "../tenants/api-keys.ts";
import type { KeyHolder } from "../tenants/api-keys.ts";
import { findSignedIn } from "../tenants/callers.ts";
import type { SignedIn } from "../tenants/callers.ts";
import { readKey } from "../tenants/key-format.ts";
import { includes } from "../tenants/memberships.ts";
import type { Membership, TenantRole } from "../tenants/memberships.ts";
import type { Act } from "../tenants/people-context.ts";
import type { ApiDependencies, Who } from "./route.ts";

type Identity =
  { kind: "nobody" } | { kind: "operator" } | { kind: "person"; person: SignedIn } | { kind: "key"; key: KeyHolder };

export interface Caller {
  identity: Identity;
  /** The tenant that the call is about, on routes for a tenant's people and keys. */
  tenant: { id: string; /** Null: a key. */ role: TenantRole | null } | undefined;
  livemode: boolean;
  /** The address that the request came from. */
  source: string;
}

export interface CallerHeaders {
  authorization?: string | undefined;
  "billhook-tenant"?: string | string[] | undefined;
  "billhook-mode"?: string | string[] | undefined;
}

type Deps = Pick<ApiDependencies, "database" | "people" | "operatorToken" | "platformTenant" | "livemode" | "keyUse">;

/** What a tenant's route asks for: the least role, and whether a secret key stands in for it. */
const TENANT_ROUTES: Partial<Record<Who, { role: TenantRole; keys: boolean }>> = {
  member: { role: "member", keys: true },
  admin: { role: "admin", keys: true },
  "admin person": { role: "admin", keys: false },
  owner: { role: "owner", keys: false },
};

/** Throws `unauthorized` for who cannot be told, `forbidden` for who may not, `not_found` for another's tenant. */
export async function admit(deps: Deps, who: Who, headers: CallerHeaders, source: string): Promise<Caller> {
  const nobody: Caller = { identity: { kind: "nobody" }, tenant: undefined, livemode: deps.livemode, source };
  if (who === "anyone" || who === "stripe") return nobody;
  const identity = await identify(deps, headers.authorization);
  if (identity === undefined) throw publicError("unauthorized");
  const livemode = modeOf(identity, headers, deps.livemode);
  const caller: Caller = { ...nobody, identity, livemode };
  if (who === "operator") {
    if (!isOperator(identity, deps.platformTenant)) throw publicError("forbidden");
    return caller;
  }
  const wanted = TENANT_ROUTES[who];
  if (wanted === undefined) {
    if (identity.kind !== "person") throw publicError("forbidden", { message: PERSON_ONLY });
    return caller;
  }
  return { ...caller, tenant: tenantFor(identity, wanted, headers) };
}

const PERSON_ONLY = "This is for people who have signed in: send an access token instead.";

async function identify(deps: Deps, authorization: string | undefined): Promise<Identity | undefined> {
  const token = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return undefined;
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
  const person = access === undefined ? undefined : await findSignedIn(deps.database, access);
  return person === undefined ? undefined : { kind: "person", person };
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
    const { key } = identity;
    if (named !== undefined && named !== key.tenantId) throw publicError("not_found", { message: NO_TENANT });
    if (key.kind === "public")
      throw publicError("forbidden", { message: "A public key may not do that: use a secret one." });
    if (!wanted.keys) throw publicError("forbidden", { message: PERSON_ONLY });
    return { id: key.tenantId, role: null };
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
  const fixed = identity.kind === "key" ? identity.key.livemode : undefined;
  if (named === undefined) return fixed ?? fallback;
  if (named !== "live" && named !== "test") {
    throw publicError("invalid_request", { message: "The header Billhook-Mode must be `live` or `test`." });
  }
  const livemode = named === "live";
  if (fixed !== undefined && fixed !== livemode) {
    throw publicError("invalid_request", {
      message: "The key is of the other mode: leave the header Billhook-Mode out, or use a key of that mode.",
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

/** For the audit log. */
export function actOf({ identity, source }: Caller): Act {
  switch (identity.kind) {
    case "nobody":
      return { actor: { kind: "system", id: null }, source };
    case "operator":
      return { actor: { kind: "operator", id: null }, source };
    case "person":
      return { actor: { kind: "person", id: identity.person.personId }, source };
    case "key":
      return { actor: { kind: "key", id: identity.key.id }, source };
  }
}
