// One webhook endpoint, whoever looks at it: why it is told nothing, and how it is told.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { modeOf } from "./endpoint-cells.tsx";
import { IdText } from "./id-text.tsx";
import { KeyValue, Section } from "./page-frame.tsx";
import { RelativeTime } from "./relative-time.tsx";

type Endpoint = components["schemas"]["WebhookEndpoint"];

const WHY = {
  by_tenant: "Somebody of this tenant disabled it.",
  gone: "It answered 410 Gone, which asks not to be called again.",
  failing: "Nothing could be delivered to it for days.",
};

export interface EndpointTroubleProps {
  endpoint: Endpoint;
  /** What to do about one that is disabled. */
  children?: ReactNode;
}

export function EndpointTrouble({ endpoint, children }: EndpointTroubleProps): ReactNode {
  const { disabled_reason: reason, disabled_at: at, failing_since: failing } = endpoint;
  if (reason !== null) {
    return (
      <p className="bh-notice">
        {WHY[reason]} It is told nothing since <RelativeTime at={at} />.{children}
      </p>
    );
  }
  if (failing === null) return null;
  return (
    <p className="bh-notice">
      Every attempt has failed since <RelativeTime at={failing} />. It is tried again; after some days it is disabled.
    </p>
  );
}

/** `tenant`: whose it is, for who sees more than one. */
export function EndpointSettings({ endpoint, tenant }: { endpoint: Endpoint; tenant?: ReactNode }): ReactNode {
  const { enabled_events: types, previous_secrets_until: older, public_key: publicKey } = endpoint;
  return (
    <Section title="Settings">
      <KeyValue
        facts={[
          ["Tenant", tenant],
          ["Endpoint", <IdText key="id" id={endpoint.id} whole />],
          ["Signing secret", <Code key="secret">{endpoint.secret}</Code>],
          ["Old secret ends", older.length === 0 ? undefined : <RelativeTime key="old" at={older.at(-1) ?? null} />],
          ["Public key", publicKey === null ? undefined : <IdText key="public" id={publicKey} whole />],
          ["Events", types.includes("*") ? "All" : <Code key="events">{types.join(", ")}</Code>],
          ["Mode", modeOf(endpoint)],
          ["Order", endpoint.ordering === "none" ? "As they come" : "In order, for each object"],
          ["Made", <RelativeTime key="made" at={endpoint.created_at} />],
          ["Changed", <RelativeTime key="changed" at={endpoint.updated_at} />],
        ]}
      />
    </Section>
  );
}

const Code = ({ children }: { children: ReactNode }): ReactNode => <span className="bh-mono">{children}</span>;
