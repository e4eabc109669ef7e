// The platform's first operator in production: invited by a link that each start prints while nobody operates the platform.
import type { Database, Queryable } from "../db/database.ts";
import { audit } from "../audit/audit-log.ts";
import { endInvitationTo, insertInvitation } from "./invitations.ts";
import { mailedLink } from "./people-context.ts";
import { endSignInLinks, FIRST_OPERATOR_LOCK, LINK_MINUTES, MADE_BY_LINK } from "./sign-in-links.ts";

/**
 * A fresh link by which whoever opens it first becomes the platform's owner, with an address and a password of their own; those
 * of earlier starts end. Undefined when somebody operates the platform.
 */
export async function firstOperatorLink(
  database: Database,
  { platformTenant, frontendUrl }: { platformTenant: string; frontendUrl: string },
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    await tx.query(FIRST_OPERATOR_LOCK);
    if (await isOperated(tx, platformTenant)) return undefined;
    const wanted = { tenantId: platformTenant, email: null, role: "owner", invitedBy: null } as const;
    const { invitation, token } = await insertInvitation(tx, { ...wanted, validMinutes: LINK_MINUTES });
    await audit(tx, {
      tenantId: platformTenant,
      actor: { kind: "system", id: null },
      action: "member.invited",
      target: invitation.id,
      source: null,
      after: { role: "owner" },
    });
    return mailedLink(frontendUrl, "invitation", token);
  });
}

/** Of each start, before it is ready: no link that an earlier one printed works on, whether or not a new one is printed. */
export async function endStartLinks(database: Database, platformTenant: string): Promise<void> {
  await endSignInLinks(database);
  await endInvitationTo(database, platformTenant, null);
}

async function isOperated(tx: Queryable, platformTenant: string): Promise<boolean> {
  return (await tx.query({ text: OPERATED, values: [platformTenant] })).rowCount > 0;
}

const OPERATED = `
  select from memberships as membership join people as person on person.id = membership.person_id
  where membership.tenant_id = $1 and membership.role in ('owner', 'admin') and not coalesce(${MADE_BY_LINK}, false) limit 1`;
