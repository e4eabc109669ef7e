// What machines ask about the process: alive, ready, metrics.
import { z } from "zod";

import { operation } from "./route.ts";

/** Probes add parameters of their own, against caches. */
const ANY_QUERY = z.looseObject({});

export const health = operation({
  tag: "Probes",
  query: ANY_QUERY,
  logged: "debug",
  answers: { 200: z.strictObject({ status: z.literal("ok"), version: z.string() }) },
  run: async ({ deps }) => ({ status: "ok", version: deps.version }),
});

const Readiness = z.strictObject({ ready: z.boolean(), checks: z.record(z.string(), z.string()) });

export const readiness = operation({
  tag: "Probes",
  query: ANY_QUERY,
  logged: "debug",
  answers: { 200: Readiness, 503: Readiness },
  run: async ({ deps, reply }) => {
    const { ready, checks } = await deps.readiness();
    if (!ready) reply.status(503).header("retry-after", 1);
    return { ready, checks };
  },
});

export const metrics = operation({
  tag: "Probes",
  query: ANY_QUERY,
  logged: "debug",
  answers: { 200: { description: "Prometheus' text format.", contentType: "text/plain" } },
  run: async ({ deps, reply }) => {
    const { contentType, text } = await deps.metrics();
    return reply.type(contentType).send(text);
  },
});
