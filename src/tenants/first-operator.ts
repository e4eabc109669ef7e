// The platform's first operator: invited by a link that the first start prints once.
import type { Database } from "../db/database.ts";
import { audit } from "../audit/audit-log.ts";
import { insertInvitation, listInvitations } from "./invitations.ts";
import { listMembers } from "./memberships.ts";
import { mailedLink } from "./people-context.ts";

/**
 * A link by which whoever opens it becomes the platform's owner; undefined when there is a member, or an invitation that
 * waits. One that nobody took in its seven days is made anew by the next start.
 */
export async function firstOperatorLink(
  database: Database,
  { platformTenant, frontendUrl }: { platformTenant: string; frontendUrl: string },
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    // Of nodes that start together one makes it.
    await tx.query("select pg_advisory_xact_lock(hashtextextended('billhook first operator', 0))");
    if ((await listMembers(tx, platformTenant)).length > 0) return undefined;
    if ((await listInvitations(tx, platformTenant)).length > 0) return undefined;
    const wanted = { tenantId: platformTenant, email: null, role: "owner", invitedBy: null } as const;
    const { invitation, token } = await insertInvitation(tx, wanted);
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
