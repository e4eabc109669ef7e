// Importing over HTTP: every object that Stripe has, with progress as lines of JSON.
import { z } from "zod";

import { newId } from "../base/ids.ts";
import { importNow, type Imported } from "../operations/import.ts";
import { IMPORT_TYPES } from "../operations/import-kinds.ts";
import { accountField, modeField, rated } from "./catch-up-routes.ts";
import { answerInLines, LINES, type ProgressLines } from "./progress-lines.ts";
import { time } from "./query-fields.ts";
import { type ApiDependencies, operation } from "./route.ts";

const DESCRIPTION =
  "One JSON object a line: `{progress}` every few hundred milliseconds, `{imported}` for each kind of each Stripe account, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it; another call goes on from there.";

export const importRoute = operation({
  tag: "Operations",
  body: z.strictObject({
    types: z
      .array(z.enum(IMPORT_TYPES as [string, ...string[]]))
      .min(1)
      .optional()
      .meta({ description: "Stripe's names of kinds of objects. Default: all." }),
    since: time.meta({ description: "ISO 8601 or Unix seconds: only objects made since then. Default: all." }),
    account: accountField,
    livemode: modeField,
  }),
  answers: { 200: { description: DESCRIPTION, contentType: LINES } },
  run: async ({ deps, body, reply, requestId }) => {
    const run = async ({ progress, tell, signal }: ProgressLines) => {
      const rate = rated(deps.clock);
      const imported = await importNow(contextOf(deps), body, {
        signal,
        onProgress: (made) => {
          rate(made, progress);
        },
      });
      for (const one of imported) await tell({ imported: wireImported(one) });
      const done = totals(imported);
      return { done, log: { objects: done.objects, count: done.pages, failed: done.failed } };
    };
    return answerInLines({ deps, reply, requestId }, { event: "import.finished", run }).answer;
  },
});

function contextOf(deps: ApiDependencies) {
  const { database, stripe, log, platformTenant, wake, catchUpEverySeconds, pagesPerSecond } = deps;
  return {
    ...{ database, stripe, log, platformTenant, wake, pagesPerSecond },
    everySeconds: catchUpEverySeconds ?? 600,
    newLease: () => newId("node"),
  };
}

function totals(imported: readonly Imported[]) {
  return {
    kinds: imported.length,
    objects: imported.reduce((sum, { objects }) => sum + objects, 0),
    pages: imported.reduce((sum, { pages }) => sum + pages, 0),
    followed: imported.filter(({ how }) => how === "events").length,
    failed: imported.filter(({ error }) => error !== null).length,
  };
}

function wireImported({ livemode, account, kind, how, objects, pages, finished, error }: Imported) {
  return { account: account === "" ? null : account, livemode, kind, how, objects, pages, finished, error };
}
