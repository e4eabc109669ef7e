// The whole database over HTTP, for `billhook backup` and `billhook move` beside a server that has it open. OPERATOR_TOKEN alone.
import { PassThrough } from "node:stream";

import type { FastifyReply } from "fastify";
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import type { UnitName } from "../base/log.ts";
import type { Database } from "../db/database.ts";
import { type BackupCount, writeBackup } from "../operations/backup.ts";
import type { MoveHold } from "../operations/move-hold.ts";
import type { Caller } from "./caller.ts";
import { operation, patient } from "./route.ts";
import type { ApiDependencies } from "./route.ts";

const BACKUP = "application/zstd";
const DESCRIPTION =
  "The file as `billhook backup` writes it (docs/backup.md). One that does not end with its checksum was cut off, and cannot be restored.";

export const backupRoute = operation({
  tag: "Operations",
  answers: { 200: { description: DESCRIPTION, contentType: BACKUP } },
  run: async ({ deps, caller, reply, requestId }) => {
    onlyByToken(caller);
    return stream({ deps, reply, requestId, event: "backup.finished", database: patient(deps) }).answer;
  },
});

const moveField = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "give 32 hexadecimal digits by chance")
  .meta({ description: "Names this move." });

export const beginMoveRoute = operation({
  tag: "Operations",
  body: z.strictObject({ move: moveField }),
  answers: {
    200: {
      description: `${DESCRIPTION} From its beginning on all other requests are answered 503.`,
      contentType: BACKUP,
    },
  },
  run: async ({ deps, body, caller, reply, requestId }) => {
    onlyByToken(caller);
    const hold = holdOf(deps);
    const database = await hold.begin(body.move);
    const { answer, ended } = stream({ deps, reply, requestId, event: "move.read", database });
    void ended.then((whole) => {
      if (whole) hold.wasRead(body.move);
      else hold.giveUp(body.move);
    });
    return answer;
  },
});

export const goOnWithMoveRoute = operation({
  tag: "Operations",
  whileMoving: true,
  params: z.object({ id: z.string() }),
  body: z.strictObject({
    step: z.enum(["renew", "give_up", "finish"]).meta({
      description:
        "renew: the mover is still there; without it the move ends after a minute. give_up: this server goes on as before. finish: everything is in the other database; this one takes nothing in any more.",
    }),
    to: z.string().max(300).optional().meta({ description: "Of finish: the other database, without its password." }),
  }),
  answers: { 200: z.strictObject({ move: z.string() }) },
  run: async ({ deps, params: { id }, body: { step, to }, caller }) => {
    onlyByToken(caller);
    const hold = holdOf(deps);
    if (step === "renew") hold.renew(id);
    else if (step === "give_up") hold.giveUp(id);
    else hold.finish(id, to ?? "another database");
    return { move: id };
  },
});

/** Who may sign in as the platform's admin sees much, but not every tenant's sealed secrets and every person's password hash. */
function onlyByToken({ identity }: Caller): void {
  if (identity.kind === "operator") return;
  throw publicError("forbidden", { message: "The whole database is given to OPERATOR_TOKEN alone." });
}

function holdOf({ move }: ApiDependencies): MoveHold {
  if (move === undefined) throw publicError("not_movable");
  return move;
}

interface Streamed {
  deps: ApiDependencies;
  reply: FastifyReply;
  requestId: string;
  event: UnitName;
  database: Database;
}

/** `ended` resolves to whether everything was written, and never rejects. */
function stream({ deps, reply, requestId, event, database }: Streamed): {
  answer: FastifyReply;
  ended: Promise<boolean>;
} {
  const bytes = new PassThrough({ highWaterMark: 1024 * 1024 });
  // Whoever asked is gone: reading on would hold up everybody else.
  if (reply.raw.destroyed) bytes.destroy();
  reply.raw.on("close", () => bytes.destroy());
  const { clock, log, version, people } = deps;
  const started = clock.monotonic();
  const told = (outcome: string, also: { objects?: number; error?: unknown }): boolean => {
    const duration = Math.round(clock.monotonic() - started);
    log.unit(event, { request_id: requestId, ...also, duration_ms: duration, outcome });
    return outcome === "finished";
  };
  const ended = writeBackup({ database, clock, version, ring: people.ring }, bytes).then(
    ({ rows }: BackupCount) => told("finished", { objects: rows }),
    (error: unknown) => told("failed", { error }),
  );
  return { answer: reply.type(BACKUP).send(bytes), ended };
}
