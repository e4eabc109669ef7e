// An endpoint that takes nothing any more is disabled, and the tenant's people who can mend it are mailed, in one commit.
import type { Database, Queryable } from "../db/database.ts";
import { retried } from "../db/retried.ts";
import { isOneAddress, queueMail } from "../mail/queue-mail.ts";
import { disableEndpoint } from "./endpoints.ts";
import { type Endpoint, type EndpointKey, lockEndpoint } from "./endpoint-table.ts";

/** gone: it answered 410 · failing: nothing was delivered for days */
export type LostReason = "gone" | "failing";

export interface Lost {
  key: EndpointKey;
  reason: LostReason;
  /** The one that answered 410. */
  url?: string | undefined;
}

/** Does nothing where it is disabled already or deleted, or has another url than the one that is gone. */
export async function disableAndTell(
  database: Database,
  { key, reason, url }: Lost,
  frontendUrl: string,
): Promise<boolean> {
  return retried(database, async (tx) => {
    const before = await lockEndpoint(tx, key);
    if (before === undefined || (url !== undefined && before.url !== url)) return false;
    const endpoint = await disableEndpoint(tx, key, reason);
    if (endpoint === undefined) return false;
    await mailPeople(tx, endpoint, reason, frontendUrl);
    return true;
  });
}

async function mailPeople(tx: Queryable, endpoint: Endpoint, reason: LostReason, frontendUrl: string): Promise<void> {
  const { tenantId, id, url, failingSince, disabledAt } = endpoint;
  const { rows } = await tx.query<{ id: string; email: string }>({ text: PEOPLE, values: [tenantId] });
  const since = reason === "failing" && failingSince !== null ? unix(failingSince) : undefined;
  for (const person of rows) {
    if (!isOneAddress(person.email)) continue;
    await queueMail(tx, {
      tenantId,
      cause: `endpoint_disabled:${id}:${String(disabledAt?.getTime())}:${person.id}`,
      to: person.email,
      template: "endpoint_disabled",
      fields: {
        link: `${frontendUrl}/dashboard/webhooks/${id}`,
        host: url === null ? "" : new URL(url).host,
        ...(since === undefined ? {} : { since }),
      },
    });
  }
}

const unix = (at: Date): number => Math.floor(at.getTime() / 1000);

const PEOPLE = `
  select person.id, person.email
  from memberships as membership join people as person on person.id = membership.person_id
  where membership.tenant_id = $1 and membership.role in ('owner', 'admin')
  order by person.id`;
