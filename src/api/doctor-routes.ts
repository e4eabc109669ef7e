// The doctor over HTTP: one report of all that is wrong, each finding with its cause and how to mend it.
import { z } from "zod";

import { diagnose } from "../operations/doctor.ts";
import { SEVERITIES } from "../operations/doctor-kind.ts";
import { OUTCOMES } from "../operations/doctor-report.ts";
import { isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

const severity = z.enum(SEVERITIES).meta({
  description:
    "error: money or events are lost or wrong · warning: they will be, or somebody waits · notice: worth knowing · ok: how it stands.",
});

const Report = z
  .strictObject({
    checked_at: isoTime,
    severity: severity.meta({ description: "Of the worst finding." }),
    findings: z.array(
      z.strictObject({
        code: z.string().meta({ description: "For programs: docs/doctor.md lists all." }),
        severity,
        subject: z.string().nullable().meta({ description: "Whom or what it is about: an id, a setting, an address." }),
        title: z.string(),
        cause: z.string(),
        mend: z.string().meta({ description: "What to do, with the command, setting or address that it takes." }),
        details: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
    checks: z.array(z.strictObject({ code: z.string(), title: z.string(), outcome: z.enum(OUTCOMES) })),
  })
  .meta({ id: "DoctorReport" });

export const doctorRoute = operation({
  tag: "Operations",
  answers: { 200: Report },
  run: async ({ deps: { database, stripe, clock, doctor } }) => diagnose({ ...doctor, database, stripe, clock }),
});
