// Raising an event of a type, by the work at the sandbox that raises it.
import { Button, Select } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useAct } from "../frame/hooks.ts";
import { ErrorNote } from "../parts/error-note.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { control, useControl } from "./sandbox-control.ts";

const FIRST = "invoice.paid";

interface Raised {
  events: { type: string }[];
}

export function Trigger(): ReactNode {
  const types = useControl<{ data: string[] }>("trigger");
  return (
    <Loaded of={types} lines={4}>
      {({ data }) => <TriggerForm types={data} />}
    </Loaded>
  );
}

function TriggerForm({ types }: { types: readonly string[] }): ReactNode {
  const [type, setType] = useState(types.includes(FIRST) ? FIRST : (types[0] ?? ""));
  const trigger = useAct((_api, wanted: string) => control<Raised>("trigger", { type: wanted }), {
    done: (_answer, wanted) => `${wanted} was triggered.`,
  });
  const raised = trigger.data?.events.length;
  return (
    <form
      className="bh-stack"
      aria-label="Trigger an event"
      onSubmit={(event) => {
        event.preventDefault();
        trigger.mutate(type);
      }}
    >
      <p className="bh-dim">The work that raises it is done at the sandbox, with all the events that belong to it.</p>
      <Select
        label="Type"
        data={[...types]}
        value={type}
        searchable
        allowDeselect={false}
        nothingFoundMessage="No such type"
        onChange={(value) => value !== null && setType(value)}
      />
      <ErrorNote error={trigger.error} />
      <div className="bh-row">
        <Button type="submit" variant="default" loading={trigger.isPending}>
          Trigger
        </Button>
      </div>
      <p role="status" className="bh-small bh-dim bh-said">
        {raised !== undefined && `${raised} ${raised === 1 ? "event was" : "events were"} raised.`}
      </p>
    </form>
  );
}
