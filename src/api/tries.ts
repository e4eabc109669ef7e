// Limits on tries and requests as the wire tells them: RateLimit-* on every answer, 429 with Retry-After when they are used up.
import type { FastifyReply } from "fastify";

import { publicError } from "../base/errors.ts";
import { countTry } from "../tenants/rate-limits.ts";
import type { LimitedAct, Standing } from "../tenants/rate-limits.ts";
import { type Asking, tenantAskedFor } from "./caller.ts";
import type { ApiDependencies, Call, Who } from "./route.ts";

/** Counts this call as a try, per e-mail address where there is one and per source. Throws `rate_limited`. */
export async function countAsTry<Params, Query, Body>(
  { deps, reply, caller }: Call<Params, Query, Body>,
  act: LimitedAct,
  address?: string,
): Promise<void> {
  const standing = await countTry(deps.database, { act, address, source: caller.source, limits: deps.tryLimits });
  tellStanding(reply, standing);
}

/**
 * Counts a request of a key, a tenant or a source, once, before it is looked whether the route is for them: who is refused
 * may not ask for ever. Throws `rate_limited`. The operator's are not counted.
 */
export function countRequest(
  { rates }: Pick<ApiDependencies, "rates">,
  who: Who,
  asking: Asking,
  reply: FastifyReply,
): void {
  if (asking.identity.kind === "operator") return;
  const standing = rates?.count({ ...countedAs(who, asking), source: asking.source });
  if (standing !== undefined) tellStanding(reply, standing);
}

/** One customer counts as a key does: of a tenant's many, none uses up what all have; and the platform's are no tenant's. */
function countedAs(who: Who, asking: Asking): { keyId: string | undefined; tenantId: string | undefined } {
  const { identity } = asking;
  const tenantId = tenantAskedFor(who, asking);
  if (identity.kind === "key") return { keyId: identity.key.id, tenantId };
  if (identity.kind === "account") return { keyId: identity.session.accountId, tenantId };
  if (identity.kind === "person" && who === "account user") return { keyId: identity.person.personId, tenantId };
  return { keyId: undefined, tenantId };
}

function tellStanding(reply: FastifyReply, { limit, remaining, resetSeconds, exceeded }: Standing): void {
  reply.headers({ "ratelimit-limit": limit, "ratelimit-remaining": remaining, "ratelimit-reset": resetSeconds });
  if (exceeded) throw publicError("rate_limited", { retryAfter: resetSeconds });
}
