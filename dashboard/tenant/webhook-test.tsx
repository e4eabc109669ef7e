// A test event to the first endpoint, now: what was sent and what came back, side by side.
import { Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Figure } from "../parts/figures.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { HeaderList, Raw } from "./exchange.tsx";
import { type Endpoint, plain, useEndpoints, useEventTypes } from "./tenant-reads.ts";

interface Tried {
  success: boolean;
  message: string;
  error?: string;
  status_code: number | null;
  response_time_ms: number;
  request: { method: string; url: string; headers: Record<string, string>; body: string };
  response: { status_code: number; headers: Record<string, unknown>; body: string } | null;
}

const PLAIN_TEST = "test.webhook";

export function WebhookTest({ endpoint, edit }: { endpoint: Endpoint; edit: () => void }): ReactNode {
  if (!endpoint.first) return <OtherEndpoint />;
  if (endpoint.url === null) {
    return (
      <Empty title="It has no URL yet">
        <div className="bh-stack">
          <p>Say where your server listens: then a test event can be sent there.</p>
          <Button variant="default" onClick={edit}>
            Set the URL
          </Button>
        </div>
      </Empty>
    );
  }
  return <TestForm />;
}

function OtherEndpoint(): ReactNode {
  const first = useEndpoints().data?.find(({ first: isFirst }) => isFirst);
  return (
    <Empty title="Test events go to the first endpoint">
      {first !== undefined && (
        <>
          <PageLink to={`/dashboard/webhooks/${first.id}?tab=test`}>Test that one</PageLink>, or{" "}
        </>
      )}
      <PageLink to="/tenant/events">choose an event</PageLink> and resend it here.
    </Empty>
  );
}

function TestForm(): ReactNode {
  const types = useEventTypes();
  const [type, setType] = useState(PLAIN_TEST);
  const send = useAct((api) => {
    const example = types.data?.find((one) => one.type === type)?.example;
    const body = { event_type: type, ...(example === undefined ? {} : { test_data: example }) };
    return plain(api).post<Tried>("/api/v1/auth/tenants/webhooks/test/", { body });
  });
  return (
    <div className="bh-stack">
      <form
        className="bh-row bh-ends"
        aria-label="Test"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate(undefined);
        }}
      >
        <Select
          label="Event"
          data={[PLAIN_TEST, ...(types.data ?? []).map((one) => one.type)]}
          value={type}
          searchable
          allowDeselect={false}
          w={300}
          onChange={(chosen) => setType(chosen ?? PLAIN_TEST)}
          comboboxProps={{ keepMounted: false }}
        />
        <Button type="submit" loading={send.isPending}>
          Send a test event
        </Button>
      </form>
      <ErrorNote error={send.error} />
      {send.data !== undefined && <Result of={send.data} />}
    </div>
  );
}

function Result({ of }: { of: Tried }): ReactNode {
  const { request, response } = of;
  return (
    <section aria-label="Result of the test" aria-live="polite" className="bh-stack">
      <div className="bh-row">
        <StatusDot
          status={of.success ? "succeeded" : "failed"}
          label={of.status_code === null ? "No answer" : `Answered ${of.status_code}`}
        />
        <Figure value={of.response_time_ms} unit="ms" />
        {of.error !== undefined && <span>{of.error}</span>}
      </div>
      <div className="bh-sides">
        <div>
          <h3>Sent</h3>
          <p className="bh-mono bh-breaks">
            {request.method} {request.url}
          </p>
          <HeaderList label="Headers sent" headers={request.headers} />
          <h3>Body</h3>
          <Raw text={request.body} label="Body sent" />
        </div>
        <div>
          <h3>Came back</h3>
          {response === null ? (
            <p>Nothing: the connection failed before there was an answer.</p>
          ) : (
            <>
              <p className="bh-mono">{response.status_code}</p>
              <HeaderList label="Headers that came back" headers={response.headers} />
              <h3>Body</h3>
              <Raw text={response.body} label="Body that came back" />
            </>
          )}
        </div>
      </div>
    </section>
  );
}
