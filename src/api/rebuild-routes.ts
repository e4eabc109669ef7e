// Rebuilding over HTTP: progress and differences as lines of JSON while it runs, for the command line beside a server.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { rebuild } from "../inbox/rebuild.ts";
import type { RebuildProgress } from "../inbox/rebuild.ts";
import { answerInLines, LINES, type ProgressLines } from "./progress-lines.ts";
import { operation, patient } from "./route.ts";
import type { ApiDependencies } from "./route.ts";

/** By database: two rebuilds would fold every object twice. */
const running = new WeakSet<object>();

const DESCRIPTION =
  "One JSON object a line: `{progress}` every few hundred milliseconds, `{difference}` for each object that differs, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it.";

export const rebuildProjections = operation({
  tag: "Rebuild",
  body: z.strictObject({ check: z.boolean().meta({ description: "true: compare only; false: mend what differs." }) }),
  answers: { 200: { description: DESCRIPTION, contentType: LINES } },
  run: async ({ deps, body, reply, requestId }) => {
    if (running.has(deps.database)) {
      throw publicError("rebuild_in_progress");
    }
    running.add(deps.database);
    const run = (lines: ProgressLines) => rebuildInto(deps, body.check, lines);
    const { answer, ended } = answerInLines({ deps, reply, requestId }, { event: "rebuild.finished", run });
    void ended.finally(() => running.delete(deps.database));
    return answer;
  },
});

async function rebuildInto(
  deps: ApiDependencies,
  check: boolean,
  { progress, difference, signal }: ProgressLines,
): Promise<{ done: object; log: Record<string, unknown> }> {
  const done = await rebuild({
    ...{ database: patient(deps), clock: deps.clock, platformTenant: deps.platformTenant, check, signal },
    onProgress: (state) => {
      progress(wireProgress(state));
    },
    onDifference: ({ key, table, columns }) => difference({ ...wireKey(key), table, columns }),
  });
  return { done: wireProgress(done), log: { objects: done.done, differences: done.differing } };
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
