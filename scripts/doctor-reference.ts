// docs/doctor.md: every finding of the doctor, from the code's own table.
import { FINDINGS } from "../src/operations/doctor-findings.ts";
import { CHECKS } from "../src/operations/doctor-checks.ts";

const INTRODUCTION = `# What \`billhook doctor\` finds

Made from the code's own table; do not edit. \`billhook doctor\` asks the running server (\`GET /api/v1/admin/doctor/\`), or looks
by itself where none runs. Each check is made by itself, for five seconds at most; what cannot be checked is a finding too.
Exit code 0 when there is no error, 1 when there is one (with \`--strict\` also for a warning), 2 for wrong usage. \`--json\`
prints \`{checked_at, severity, findings: [{code, severity, subject, title, cause, mend, details}], checks}\`. Where a sentence
has a name in ‹›, the finding has what was found.

error: money or events are lost or wrong · warning: they will be, or somebody waits · notice: worth knowing · ok: how it stands
`;

const named = (sentence: string): string => sentence.replace(/\{(\w+)\}/g, "‹$1›").replaceAll("|", "\\|");

export function doctorReference(): string {
  const rows = Object.entries(FINDINGS).map(
    ([code, { severity, title, cause, mend }]) =>
      `| \`${code}\` | ${severity} | ${title} | ${named(cause)} | ${named(mend)} |`,
  );
  const checks = CHECKS.map(({ code, title }) => `\`${code}\` (${title})`).join(", ");
  const table = ["| code | severity | what | cause | mend |", "|---|---|---|---|---|", ...rows].join("\n");
  return `${INTRODUCTION}\nChecks: ${checks}.\n\n${table}\n`;
}
