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
  /** Also looks whether the process is to stop. Behind a reader that is slow only the latest is told. */
  progress: (progress: object) => void;
  /** Resolves when a slow reader has taken what came before, or is gone: to be waited for. */
  difference: (difference: object) => Promise<void>;
  /** Any other line, by its one field. Resolves as `difference` does. */
  tell: (line: Record<string, unknown>) => Promise<void>;
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

/**
 * Answers with the lines of a running operation from its first one on: what fails before it is answered as an error, and
 * rejects `answer`. `ended` resolves when it has ended, and never rejects.
 */
export function answerInLines(
  asked: Asked,
  operation: LongOperation,
): { answer: Promise<FastifyReply>; ended: Promise<void> } {
  const lines = new PassThrough();
  const stop = new AbortController();
  asked.reply.raw.on("close", () => {
    stop.abort();
  });
  const begun = new Beginning();
  const ended = runInto(asked, operation, { lines, stop, begun });
  return { answer: begun.promise.then(() => asked.reply.type(LINES).send(lines)), ended };
}

/** Of an answer: with its first line, or with a failure before any. */
class Beginning {
  has = false;
  private readonly deferred = Promise.withResolvers<undefined>();
  readonly promise = this.deferred.promise;

  now(): void {
    this.has = true;
    this.deferred.resolve(undefined);
  }

  never(thrown: unknown): void {
    this.deferred.reject(thrown);
  }
}

interface Way {
  lines: PassThrough;
  stop: AbortController;
  begun: Beginning;
}

async function runInto({ deps, requestId }: Asked, { event, run }: LongOperation, way: Way): Promise<void> {
  const { lines, stop, begun } = way;
  const { write, writeLatest, taken } = slowly(way, deps.stopping);
  const tell = async (line: Record<string, unknown>): Promise<void> => {
    write(line);
    await taken();
  };
  const end = (line: Record<string, unknown>): void => {
    write(line);
    lines.end();
  };
  try {
    const { done, log } = await run({
      progress: (progress) => {
        if (deps.stopping()) stop.abort();
        writeLatest({ progress });
      },
      difference: (difference) => tell({ difference }),
      tell,
      signal: stop.signal,
    });
    const outcome = stop.signal.aborted ? "stopped" : "finished";
    deps.log.unit(event, { request_id: requestId, ...log, outcome });
    end(outcome === "stopped" ? { error: errorBody(publicError("stopping"), requestId) } : { done });
  } catch (thrown) {
    if (!begun.has) {
      const { status, code } = requestError(thrown);
      // Its cause stands in the line of the request that failed; of a caller's mistake there is none.
      deps.log.unit(event, { request_id: requestId, outcome: status < 500 ? "refused" : "failed", code });
      begun.never(thrown);
      return;
    }
    deps.log.unit(event, { request_id: requestId, outcome: "failed", error: thrown });
    end({ error: errorBody(requestError(thrown), requestId) });
  }
}

/** Milliseconds. Nobody tells of it when the process is to stop. */
const LOOK_EVERY = 500;

/** Lines to a reader who may be slow: what waits for one is a few lines, however many there are to be told. */
function slowly({ lines, stop, begun }: Way, stopping: () => boolean) {
  let latest: Record<string, unknown> | undefined;
  const write = (line: Record<string, unknown>): void => {
    begun.now();
    if (lines.destroyed) return;
    for (const one of latest === undefined ? [line] : [latest, line]) lines.write(`${JSON.stringify(one)}\n`);
    latest = undefined;
  };
  return {
    write,
    writeLatest: (line: Record<string, unknown>): void => {
      // An earlier one that waits says nothing more.
      latest = undefined;
      if (lines.writableNeedDrain) latest = line;
      else write(line);
    },
    taken: async (): Promise<void> => {
      while (lines.writableNeedDrain && !lines.destroyed && !stop.signal.aborted) {
        if (stopping()) stop.abort();
        else await drainOrEnd(lines, stop.signal);
      }
    },
  };
}

/** Resolves when there is room again, when it is to stop, or after LOOK_EVERY. */
function drainOrEnd(lines: PassThrough, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      lines.off("drain", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, LOOK_EVERY);
    lines.on("drain", end);
    signal.addEventListener("abort", end);
  });
}
