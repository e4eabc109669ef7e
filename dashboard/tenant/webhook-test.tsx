// A test event to an endpoint, now: what was sent and what came back, side by side.
import { Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";

import type { paths } from "../../kit/client/client.ts";
import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { HeaderList, Raw } from "../parts/exchange.tsx";
import { Figure } from "../parts/figures.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { type Endpoint, useEventTypes } from "./tenant-reads.ts";

type Tried = paths["/api/v1/auth/tenants/webhooks/test/"]["post"]["responses"][200]["content"]["application/json"];

const PLAIN_TEST = "test.webhook";

export function WebhookTest({ endpoint, edit }: { endpoint: Endpoint; edit: () => void }): ReactNode {
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
  return <TestForm endpoint={endpoint} />;
}

function TestForm({ endpoint: { id } }: { endpoint: Endpoint }): ReactNode {
  const types = useEventTypes();
  const [type, setType] = useState(PLAIN_TEST);
  const send = useAct((api) => {
    const example = types.data?.find((one) => one.type === type)?.example;
    const body = { endpoint_id: id, event_type: type, ...(example === undefined ? {} : { test_data: example }) };
    return api.post("/api/v1/auth/tenants/webhooks/test/", { body });
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
        {!of.success && <span>{of.error}</span>}
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
