// Who is behind a token, as the database knows it now: a session that has ended, a role that was taken away count at once.
import type { Queryable } from "../db/database.ts";
import type { AccessToken } from "./access-tokens.ts";
import type { Membership } from "./memberships.ts";

export interface SignedIn {
  personId: string;
  sessionId: string;
  memberships: Membership[];
}

/** Undefined: the session has ended. */
export async function findSignedIn(
  database: Queryable,
  { personId, sessionId }: AccessToken,
): Promise<SignedIn | undefined> {
  const { rows } = await database.query<{ memberships: Membership[] }>({
    name: "find_signed_in",
    text: FIND,
    values: [sessionId, personId],
  });
  const [found] = rows;
  return found === undefined ? undefined : { personId, sessionId, memberships: found.memberships };
}

const FIND = `
  select coalesce(
           (select json_agg(json_build_object('tenantId', tenant_id, 'role', role) order by tenant_id)
            from memberships where person_id = session.person_id), '[]') as memberships
  from sessions as session
  where session.id = $1 and session.person_id = $2 and session.ended_at is null and session.expires_at > now()`;
