// Drift over HTTP: local rows held against Stripe's objects, with differences as lines of JSON.
import { z } from "zod";

import { newId } from "../base/ids.ts";
import { checkDrift, type Drift, type DriftCount } from "../operations/drift.ts";
import { IMPORT_TYPES } from "../operations/import-kinds.ts";
import { accountField, modeField, rated } from "./catch-up-routes.ts";
import { answerInLines, LINES, type ProgressLines } from "./progress-lines.ts";
import { type ApiDependencies, operation } from "./route.ts";

const DESCRIPTION =
  "One JSON object a line: `{progress}` every few hundred milliseconds, `{difference}` for each row that differs, `{compared}` for each kind of each Stripe account with its tenant, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it.";

export const driftRoute = operation({
  tag: "Operations",
  body: z.strictObject({
    repair: z.boolean().meta({ description: "true: what differs is taken anew from Stripe; false: only told." }),
    types: z
      .array(z.enum(IMPORT_TYPES as [string, ...string[]]))
      .min(1)
      .optional()
      .meta({ description: "Stripe's names of kinds of objects. Default: all." }),
    sample_pages: z.number().int().min(1).max(1000).optional().meta({
      description: "So many pages of 100 objects of each kind, from places by chance. Default: everything.",
    }),
    account: accountField,
    livemode: modeField,
  }),
  answers: { 200: { description: DESCRIPTION, contentType: LINES } },
  run: async ({ deps, body: { sample_pages: samplePages, ...wish }, reply, requestId }) => {
    const run = async ({ progress, difference, tell, signal }: ProgressLines) => {
      const rate = rated(deps.clock);
      const counts = await checkDrift(
        contextOf(deps),
        { ...wish, samplePages },
        {
          signal,
          onProgress: (checked) => {
            rate({ done: checked, total: checked }, progress);
          },
          onDifference: (drift) => difference(wireDrift(drift)),
        },
      );
      for (const one of counts) await tell({ compared: wireCount(one) });
      const done = totals(counts);
      return { done, log: { objects: done.checked, differences: done.differing, failed: done.failed } };
    };
    return answerInLines({ deps, reply, requestId }, { event: "drift.checked", run }).answer;
  },
});

function contextOf(deps: ApiDependencies) {
  const { database, stripe, log, clock, platformTenant, wake, catchUpEverySeconds, pagesPerSecond, drift } = deps;
  return {
    ...{ database, stripe, log, clock, platformTenant, wake, pagesPerSecond, ...drift },
    everySeconds: catchUpEverySeconds ?? 600,
    newLease: () => newId("node"),
  };
}

function totals(counts: readonly DriftCount[]) {
  const sum = (of: (one: DriftCount) => number): number => counts.reduce((total, one) => total + of(one), 0);
  return {
    checked: sum(({ checked }) => checked),
    differing: sum(({ differing }) => differing),
    repaired: sum(({ repaired }) => repaired),
    pages: sum(({ pages }) => pages),
    failed: counts.filter(({ error }) => error !== null).length,
  };
}

function wireDrift({ key, kind, tenantId, columns, repaired }: Drift) {
  const { livemode, account, objectId } = key;
  const where = { account: account === "" ? null : account, livemode, tenant_id: tenantId };
  return { kind, object_id: objectId, ...where, repaired, columns };
}

function wireCount({ account, tenantId, ...count }: DriftCount) {
  return { account: account === "" ? null : account, tenant_id: tenantId, ...count };
}
