// What can be said of an endpoint: its URL, which events, of which mode, in which order, and how they are signed.
import { Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { fieldError, otherError } from "../parts/error-note.tsx";
import type { Change } from "../parts/use-draft.ts";
import { EventPicker } from "./event-picker.tsx";
import type { Endpoint } from "./tenant-reads.ts";

export interface EndpointForm {
  url: string;
  description: string;
  events: string[];
  livemode: boolean | null;
  ordering: Endpoint["ordering"];
  signature: Endpoint["signature"];
}

const FIELDS = ["url", "description", "enabled_events", "livemode", "ordering", "signature"];

export const otherEndpointError = (error: unknown): unknown => otherError(error, FIELDS);

export function formOf(endpoint: Endpoint): EndpointForm {
  const { url, description, enabled_events: events, livemode, ordering, signature } = endpoint;
  return { url: url ?? "", description: description ?? "", events, livemode, ordering, signature };
}

export function wiredForm({ url, description, events, livemode, ordering, signature }: EndpointForm) {
  return {
    ...{ url: url.trim(), description: description.trim() === "" ? null : description.trim() },
    ...{ enabled_events: events, livemode, ordering, signature },
  };
}

const MODES = [
  { value: "true", label: "Live" },
  { value: "false", label: "Test" },
  { value: "null", label: "Live and test" },
];
const ORDERS = [
  { value: "none", label: "As they come" },
  { value: "per_object", label: "In order, for each object" },
];
const SIGNATURES = [
  { value: "v1", label: "With the secret (HMAC)" },
  { value: "v1a", label: "Also with a public key (ed25519)" },
];

export interface EndpointFieldsProps {
  form: EndpointForm;
  change: Change<EndpointForm>;
  error: unknown;
}

export function EndpointFields({ form, change, error }: EndpointFieldsProps): ReactNode {
  return (
    <>
      <TextInput
        label="URL"
        type="url"
        placeholder="https://example.com/webhooks"
        required
        data-autofocus
        value={form.url}
        error={fieldError(error, "url")}
        onChange={({ currentTarget }) => change({ url: currentTarget.value })}
      />
      <EventPicker
        value={form.events}
        change={(events) => change({ events })}
        error={fieldError(error, "enabled_events")}
      />
      <TextInput
        label="Description"
        value={form.description}
        maxLength={500}
        error={fieldError(error, "description")}
        onChange={({ currentTarget }) => change({ description: currentTarget.value })}
      />
      <Select
        label="Events of"
        data={MODES}
        value={String(form.livemode)}
        allowDeselect={false}
        error={fieldError(error, "livemode")}
        onChange={(chosen) => change({ livemode: chosen === "null" ? null : chosen === "true" })}
      />
      <Select
        label="Order"
        data={ORDERS}
        value={form.ordering}
        allowDeselect={false}
        onChange={(chosen) => change({ ordering: chosen === "per_object" ? chosen : "none" })}
      />
      <Select
        label="Signature"
        data={SIGNATURES}
        value={form.signature}
        allowDeselect={false}
        onChange={(chosen) => change({ signature: chosen === "v1a" ? chosen : "v1" })}
      />
    </>
  );
}
