// Answers that last: one JSON object a line while an operation runs, `{done}` or `{error}` as the last one.
import { PassThrough } from "node:stream";

import type { FastifyReply } from "fastify";

import { errorBody, publicError } from "../base/errors.ts";
import type { LogFields, UnitName } from "../base/log.ts";
import { requestError } from "./request-errors.ts";
import type { ApiDependencies } from "./route.ts";

export const LINES = "application/x-ndjson";

/** What a running operation tells. */
export interface ProgressLines {
  /** Also looks whether the process is to stop. */
  progress: (progress: object) => void;
  difference: (difference: object) => void;
  /** Any other line, by its one field. */
  tell: (line: Record<string, unknown>) => void;
  /** Whoever asked is gone, or the process is to stop. */
  signal: AbortSignal;
}

export interface LongOperation {
  /** The unit of its one line in the log. */
  event: UnitName;
  /** `done` is the last line, `log` what the log tells of it. */
  run: (lines: ProgressLines) => Promise<{ done: object; log: LogFields }>;
}

interface Asked {
  deps: Pick<ApiDependencies, "log" | "stopping">;
  reply: FastifyReply;
  requestId: string;
}

/** Answers with the lines of a running operation; `ended` resolves when it has ended, and never rejects. */
export function answerInLines(asked: Asked, operation: LongOperation): { answer: FastifyReply; ended: Promise<void> } {
  const lines = new PassThrough();
  const stop = new AbortController();
  asked.reply.raw.on("close", () => {
    stop.abort();
  });
  const ended = runInto(asked, operation, lines, stop);
  return { answer: asked.reply.type(LINES).send(lines), ended };
}

async function runInto(
  { deps, requestId }: Asked,
  { event, run }: LongOperation,
  lines: PassThrough,
  stop: AbortController,
): Promise<void> {
  const tell = (line: Record<string, unknown>): void => {
    if (!lines.destroyed) lines.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const { done, log } = await run({
      progress: (progress) => {
        if (deps.stopping()) stop.abort();
        tell({ progress });
      },
      difference: (difference) => {
        tell({ difference });
      },
      tell,
      signal: stop.signal,
    });
    const outcome = stop.signal.aborted ? "stopped" : "finished";
    deps.log.unit(event, { request_id: requestId, ...log, outcome });
    if (outcome === "stopped") tell({ error: errorBody(publicError("stopping"), requestId) });
    else tell({ done });
  } catch (thrown) {
    deps.log.unit(event, { request_id: requestId, outcome: "failed", error: thrown });
    tell({ error: errorBody(requestError(thrown), requestId) });
  }
  lines.end();
}
