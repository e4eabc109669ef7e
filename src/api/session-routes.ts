// Routes of a person's sessions: where they are signed in, and ending one.
import { z } from "zod";

import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { endOwnSession, openSessions } from "../tenants/sessions.ts";
import { actOf, personOf } from "./caller.ts";
import { Message } from "./people-fields.ts";
import { idParams, isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "People and sessions";

const OpenSession = z
  .strictObject({
    id: z.string(),
    source: z.string().nullable().meta({ description: "The address that it was begun from." }),
    created_at: isoTime,
    last_used_at: isoTime,
    expires_at: isoTime,
    current: z.boolean().meta({ description: "The one that asks." }),
  })
  .meta({ id: "OpenSession" });

export const listSessionsRoute = operation({
  tag: TAG,
  answers: { 200: z.strictObject({ data: z.array(OpenSession) }) },
  run: async ({ deps, caller }) => {
    const { personId, sessionId } = personOf(caller);
    const found = await openSessions(deps.people.database, personId);
    return {
      data: found.map(({ id, source, createdAt, lastUsedAt, expiresAt }) => ({
        ...{ id, source, created_at: createdAt.toISOString(), last_used_at: lastUsedAt.toISOString() },
        ...{ expires_at: expiresAt.toISOString(), current: id === sessionId },
      })),
    };
  },
});

export const endSessionRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: Message },
  run: async ({ deps, caller, params }) => {
    const { personId } = personOf(caller);
    const ended = await deps.people.database.transaction(async (tx) => {
      const isEnded = await endOwnSession(tx, personId, params.id);
      if (isEnded) await audit(tx, { tenantId: null, ...actOf(caller), action: "session.ended", target: personId });
      return isEnded;
    });
    if (!ended) throw publicError("not_found");
    return { message: "The session has ended." };
  },
});
