// Rebuilding over HTTP: progress and differences as lines of JSON while it runs, for the command line beside a server.
import { PassThrough } from "node:stream";
import { z } from "zod";

import { errorBody, publicError } from "../base/errors.ts";
import { rebuild } from "../inbox/rebuild.ts";
import type { RebuildProgress } from "../inbox/rebuild.ts";
import { requestError } from "./request-errors.ts";
import { operation } from "./route.ts";
import type { ApiDependencies } from "./route.ts";

/** By database: two rebuilds would fold every object twice. */
const running = new WeakSet<object>();

const DESCRIPTION =
  "One JSON object a line: `{progress}` every few hundred milliseconds, `{difference}` for each object that differs, `{done}` at the end, `{error}` if it fails. Closing the connection stops it.";

export const rebuildProjections = operation({
  tag: "Rebuild",
  body: z.strictObject({ check: z.boolean().meta({ description: "true: compare only; false: mend what differs." }) }),
  answers: { 200: { description: DESCRIPTION, contentType: "application/x-ndjson" } },
  run: async ({ deps, body, reply, requestId }) => {
    if (running.has(deps.database)) {
      throw publicError("rebuild_in_progress");
    }
    running.add(deps.database);
    const lines = new PassThrough();
    const stop = new AbortController();
    reply.raw.on("close", () => stop.abort());
    void rebuildInto(deps, body.check, lines, stop, requestId).finally(() => running.delete(deps.database));
    return reply.type("application/x-ndjson").send(lines);
  },
});

async function rebuildInto(
  deps: ApiDependencies,
  check: boolean,
  lines: PassThrough,
  stop: AbortController,
  requestId: string,
): Promise<void> {
  const tell = (line: Record<string, unknown>): void => {
    if (!lines.destroyed) lines.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const done = await rebuild({
      database: deps.database,
      clock: deps.clock,
      platformTenant: deps.platformTenant,
      check,
      onProgress: (progress) => {
        if (deps.stopping()) stop.abort();
        tell({ progress: wireProgress(progress) });
      },
      onDifference: ({ key, table, columns }) => tell({ difference: { ...wireKey(key), table, columns } }),
      signal: stop.signal,
    });
    const stopped = stop.signal.aborted;
    deps.log.unit("rebuild.finished", {
      request_id: requestId,
      objects: done.done,
      differences: done.differing,
      outcome: stopped ? "stopped" : "finished",
    });
    if (stopped) tell({ error: errorBody(publicError("stopping"), requestId) });
    else tell({ done: wireProgress(done) });
  } catch (thrown) {
    deps.log.unit("rebuild.finished", { request_id: requestId, outcome: "failed", error: thrown });
    tell({ error: errorBody(requestError(thrown), requestId) });
  }
  lines.end();
}

function wireProgress({ total, done, pending, differing, perSecond }: RebuildProgress): Record<string, number> {
  return { total, done, pending, differing, per_second: Math.round(perSecond) };
}

function wireKey(key: {
  livemode: boolean;
  account: string;
  objectType: string;
  objectId: string;
}): Record<string, unknown> {
  const account = key.account === "" ? null : key.account;
  return { object_id: key.objectId, object_type: key.objectType, livemode: key.livemode, account };
}
