// What is wrong, why, and what mends it: the doctor's report, asked for when the page is opened.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { JsonView } from "../parts/json-view.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, type Tone } from "../parts/status-dot.tsx";
import { CodeText } from "./code-text.tsx";
import { pathOf } from "./object-paths.ts";
import type { DoctorReport } from "./operator-reads.ts";

import "./operator.css";

type Severity = DoctorReport["severity"];
type Finding = DoctorReport["findings"][number];

const TONES: Record<Severity, Tone> = { error: "bad", warning: "warn", notice: "busy", ok: "good" };
const OUTCOMES: Record<DoctorReport["checks"][number]["outcome"], { label: string; tone: Tone }> = {
  ok: { label: "Well", tone: "good" },
  found: { label: "Found something", tone: "warn" },
  failed: { label: "Could not be checked", tone: "bad" },
  skipped: { label: "Left out: what it needs is not there", tone: "quiet" },
};

export default function DoctorPage(): ReactNode {
  const report = useRead(["doctor"], (api, signal) => api.get("/api/v1/admin/doctor/", { signal }));
  return (
    <>
      <PageHeader
        title="Doctor"
        beside={
          report.data !== undefined && (
            <StatusDot status={report.data.severity} tone={TONES[report.data.severity]} label={word(report.data)} />
          )
        }
        actions={
          <Button variant="default" loading={report.isFetching} onClick={() => void report.refetch()}>
            Check again
          </Button>
        }
      >
        {report.data === undefined ? (
          "Looking at the configuration, the database, the queues and Stripe…"
        ) : (
          <>
            Checked <RelativeTime at={report.data.checked_at} />
          </>
        )}
      </PageHeader>
      <Loaded of={report} lines={12}>
        {(answer) => <Report report={answer} />}
      </Loaded>
    </>
  );
}

const word = ({ severity }: DoctorReport): string => (severity === "ok" ? "All is well" : `Worst: ${severity}`);

function Report({ report: { findings, checks } }: { report: DoctorReport }): ReactNode {
  const wrong = findings.filter(({ severity }) => severity !== "ok");
  const standing = findings.filter(({ severity }) => severity === "ok");
  return (
    <>
      {wrong.length === 0 ? (
        <Empty title="Nothing is wrong">Each check below has found all well.</Empty>
      ) : (
        <ol className="bh-findings" aria-label="Findings, the worst first">
          {wrong.map((finding, index) => (
            <OneFinding key={`${finding.code} ${finding.subject ?? ""} ${index}`} finding={finding} />
          ))}
        </ol>
      )}
      {standing.length > 0 && (
        <Section title="How it stands">
          <ol className="bh-findings">
            {standing.map((finding, index) => (
              <OneFinding key={`${finding.code} ${finding.subject ?? ""} ${index}`} finding={finding} />
            ))}
          </ol>
        </Section>
      )}
      <Section title="Checks">
        <ul className="bh-checks">
          {checks.map(({ code, title, outcome }) => (
            <li key={code}>
              <span>{title}</span>
              <StatusDot status={outcome} {...OUTCOMES[outcome]} />
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

/** An id leads to its page. */
function Subject({ of }: { of: string }): ReactNode {
  const to = pathOf(of);
  return <span className="bh-mono bh-dim bh-breaks">{to === undefined ? of : <PageLink to={to}>{of}</PageLink>}</span>;
}

function OneFinding({ finding }: { finding: Finding }): ReactNode {
  const { severity, title, subject, cause, mend, code, details } = finding;
  return (
    <li>
      <h3>
        <StatusDot status={severity} tone={TONES[severity]} /> {title}
        {subject !== null && <Subject of={subject} />}
      </h3>
      <p>
        <CodeText text={cause} />
      </p>
      <p>
        <span className="bh-strong">To mend it: </span>
        <CodeText text={mend} />
      </p>
      <details>
        <summary className="bh-dim bh-small">{code}</summary>
        {details !== undefined && <JsonView value={details} label={`details of ${code}`} />}
      </details>
    </li>
  );
}
