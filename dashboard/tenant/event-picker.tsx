// Which events an endpoint takes: all, or families and types of the catalogue.
import { MultiSelect, Radio } from "@mantine/core";
import { type ReactNode, useMemo } from "react";

import { type EventType, useEventTypes } from "./tenant-reads.ts";

const ALL = "*";

export interface EventPickerProps {
  value: string[];
  change: (patterns: string[]) => void;
  error: string | undefined;
}

export function EventPicker({ value, change, error }: EventPickerProps): ReactNode {
  const types = useEventTypes();
  const groups = useMemo(() => groupsOf(types.data ?? []), [types.data]);
  const isAll = value.includes(ALL);
  return (
    <div className="bh-stack">
      <Radio.Group
        label="Events"
        value={isAll ? "all" : "some"}
        onChange={(chosen) => change(chosen === "all" ? [ALL] : [])}
        error={isAll ? error : undefined}
      >
        <div className="bh-row">
          <Radio value="all" label="All, also those to come" />
          <Radio value="some" label="Only these" />
        </div>
      </Radio.Group>
      {!isAll && (
        <MultiSelect
          label="Types of events"
          description="A family such as invoice.* takes every type of it."
          placeholder={value.length === 0 ? "Choose or type" : ""}
          data={groups}
          value={value}
          searchable
          required
          maxDropdownHeight={280}
          hidePickedOptions
          error={error ?? types.error?.message}
          onChange={change}
          comboboxProps={{ keepMounted: false }}
        />
      )}
    </div>
  );
}

function groupsOf(types: readonly EventType[]): { group: string; items: string[] }[] {
  const families = Map.groupBy(types, ({ type }) => type.split(".")[0] ?? type);
  return [...families].map(([family, members]) => ({
    group: family.replaceAll("_", " "),
    items: [`${family}.*`, ...members.map(({ type }) => type)],
  }));
}
