// One mail: whom it went to, how its sending went, and, of a kept one, what it says.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useAct, useRead } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { UrlTabs } from "../parts/url-tabs.tsx";
import { LinkedId } from "./cells.tsx";
import { MailFrame } from "./mail-frame.tsx";

import "./operator.css";

type Mail = components["schemas"]["MailDetail"];

/** While it is queued: its sending is seen. */
const LOOK_MS = 3000;

export default function MailPage(): ReactNode {
  const id = usePathPart("id");
  const mail = useRead(
    ["mail", id],
    (api, signal) => api.get("/api/v1/admin/mails/{id}/", { params: { path: { id } }, signal }),
    { every: LOOK_MS, whileIt: ({ status }) => status === "queued" },
  );
  return (
    <>
      <PageHeader
        title={mail.data === undefined ? "Mail" : (mail.data.content?.subject ?? wordOf(mail.data.template))}
        crumbs={[{ label: "Mails", to: "/operator/mails" }]}
        beside={mail.data !== undefined && <StatusDot status={mail.data.status} />}
        actions={mail.data !== undefined && <Retry mail={mail.data} />}
      >
        <IdText id={id} whole />
      </PageHeader>
      <Loaded of={mail} lines={10}>
        {(found) => (
          <>
            <Facts mail={found} />
            <Section title="What it says">
              <Content mail={found} />
            </Section>
            {found.attempt_list.length > 0 && (
              <Section title="Attempts">
                <Attempts mail={found} />
              </Section>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

const DROPPED = { late: "It was due too long ago", no_longer_true: "It was no longer true" };

function Facts({ mail }: { mail: Mail }): ReactNode {
  const { tenant_id: tenant, dropped_because: why, last_answer: answer, next_attempt_at: next } = mail;
  return (
    <KeyValue
      facts={[
        ["To", mail.to],
        ["Mail", wordOf(mail.template)],
        ["Tenant", tenant === null ? "None: it is about a person" : <LinkedId key="tenant" id={tenant} />],
        ["Written", <RelativeTime key="written" at={mail.created_at} />],
        ["Ended", mail.ended_at === null ? undefined : <RelativeTime key="ended" at={mail.ended_at} />],
        ["Next attempt", next === null ? undefined : <RelativeTime key="next" at={next} />],
        ["Dropped", why === null ? undefined : DROPPED[why]],
        ["Last answer", answer ?? undefined],
      ]}
    />
  );
}

function Content({ mail: { content, status } }: { mail: Mail }): ReactNode {
  if (content === null) {
    return (
      <Empty title="Its words are not kept">
        {status === "kept"
          ? "Its link was a person's key, and has ended."
          : "Only mails that no mail server took are read here."}
      </Empty>
    );
  }
  const { text, html, subject } = content;
  return (
    <UrlTabs
      param="as"
      tabs={[
        { name: "text", label: "Text", content: () => <MailText text={text} /> },
        { name: "html", label: "HTML", content: () => <MailFrame html={html} title={subject} /> },
      ]}
    />
  );
}

const LINK = /(https?:\/\/\S+)/;

/** The plain part, as it is; its links can be followed. */
function MailText({ text }: { text: string }): ReactNode {
  return (
    <div className="bh-mail-text bh-in-text">
      {text.split(LINK).map((part, index) =>
        LINK.test(part) ? (
          <a key={index} href={part} rel="noreferrer">
            {part}
          </a>
        ) : (
          part
        ),
      )}
    </div>
  );
}

function Attempts({ mail: { attempt_list: attempts } }: { mail: Mail }): ReactNode {
  return (
    <ol className="bh-story">
      {attempts.map(({ attempt, at, outcome, answer }) => (
        <li key={attempt}>
          <div className="bh-story-head">
            <StatusDot status={outcome ?? "processing"} label={`Attempt ${attempt}: ${outcome ?? "goes on"}`} />
            <span className="bh-story-when">
              <RelativeTime at={at} />
            </span>
          </div>
          {answer !== null && <p className="bh-mono bh-breaks">{answer}</p>}
        </li>
      ))}
    </ol>
  );
}

function Retry({ mail: { id, status } }: { mail: Mail }): ReactNode {
  const retry = useAct((api) => api.post("/api/v1/admin/mails/{id}/retry/", { params: { path: { id } } }), {
    done: "The mail is tried again.",
  });
  if (status !== "failed" && status !== "kept") return null;
  return (
    <>
      <Button variant="default" loading={retry.isPending} onClick={() => retry.mutate(undefined)}>
        Try again
      </Button>
      <ErrorNote error={retry.error} />
    </>
  );
}
