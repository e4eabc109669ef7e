// The doctor's report: findings with their sentences filled in, worst first. Pure.
import { type FindingCode, FINDINGS } from "./doctor-findings.ts";
import { SEVERITIES, type Severity } from "./doctor-kind.ts";

/** What a check found: which kind, about what, and what fills the kind's sentences. */
export interface Found {
  code: FindingCode;
  /** Whom or what it is about: an id, a variable, an address. */
  subject?: string;
  values?: Readonly<Record<string, string | number>>;
  /** For programs: lists and numbers behind the sentence. */
  details?: Readonly<Record<string, unknown>>;
}

export interface Finding {
  code: string;
  severity: Severity;
  subject: string | null;
  title: string;
  cause: string;
  mend: string;
  details?: Readonly<Record<string, unknown>>;
}

export const OUTCOMES = ["ok", "found", "failed", "skipped"] as const;

/** found: something worse than `ok` · failed: it could not be checked · skipped: what it needs is not there */
export interface CheckOutcome {
  code: string;
  title: string;
  outcome: (typeof OUTCOMES)[number];
}

export interface Report {
  /** ISO 8601. */
  checked_at: string;
  /** Of the worst finding. */
  severity: Severity;
  findings: Finding[];
  checks: CheckOutcome[];
}

export function findingOf({ code, subject, values = {}, details }: Found): Finding {
  const { severity, title, cause, causeOfOne, mend } = FINDINGS[code];
  const fill = (sentence: string): string =>
    sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`the finding ${code} lacks {${name}}`);
      return String(value);
    });
  return {
    ...{ code, severity, subject: subject ?? null, title },
    ...{ cause: fill(values.count === 1 ? causeOfOne : cause), mend: fill(mend) },
    ...(details === undefined ? {} : { details }),
  };
}

export function reportOf(now: number, found: readonly Found[], checks: CheckOutcome[]): Report {
  return { checked_at: new Date(now).toISOString(), ...ranked(found.map(findingOf)), checks };
}

/** The report with what was found besides. */
export function withFound(report: Report, found: readonly Found[]): Report {
  return { ...report, ...ranked([...report.findings, ...found.map(findingOf)]) };
}

/** Worst first. */
function ranked(found: Finding[]): Pick<Report, "severity" | "findings"> {
  const order = Object.keys(FINDINGS);
  const rank = ({ severity, code }: Finding): number =>
    SEVERITIES.indexOf(severity) * order.length + order.indexOf(code);
  const findings = found.toSorted((a, b) => rank(a) - rank(b));
  return { severity: findings[0]?.severity ?? "ok", findings };
}

/** Findings of one code are listed so far; a thousand tenants with one trouble are one trouble. */
export const MOST_OF_A_KIND = 20;

/** Of many findings of one kind the first, and how many there are more. `total`: where the facts were cut off already. */
export function atMost(found: readonly Found[], total = found.length): Found[] {
  const listed = found.slice(0, MOST_OF_A_KIND);
  const code = found[0]?.code;
  if (code === undefined || total <= listed.length) return listed;
  const { title } = FINDINGS[code];
  return [...listed, { code: "more_found", subject: code, values: { count: total - listed.length, what: title } }];
}

/** Unix milliseconds, seconds' Date or a Date, for sentences: UTC, to the second. */
export const when = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
