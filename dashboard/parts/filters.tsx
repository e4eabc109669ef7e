// Filters above a list, kept in the page's address: a link to a filtered list is a link to what was seen.
import { Button, Select, TextInput } from "@mantine/core";
import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { useHistory } from "./page-link.tsx";

export interface FilterSpec {
  /** In the address, and as a rule in the route's query. */
  name: string;
  label: string;
  /** Text: applied by Enter or when the field is left. Since and until: a day, by UTC, which is itself within. */
  kind: "choice" | "text" | "since" | "until";
  choices?: readonly (string | { value: string; label: string })[];
  placeholder?: string;
}

export type FilterValues<Specs extends readonly FilterSpec[]> = Partial<Record<Specs[number]["name"], string>>;

export interface Filters<Specs extends readonly FilterSpec[]> {
  specs: Specs;
  /** Those that are set, as the API takes them: spread them into the route's query and into the list's key. */
  values: FilterValues<Specs>;
  /** As they were chosen, and stand in the address. */
  chosen: FilterValues<Specs>;
  change: (name: Specs[number]["name"], value: string | undefined) => void;
  clear: () => void;
}

/** `const filters = useFilters(FILTERS)`, where `const FILTERS = [{ name: "status", … }] as const satisfies readonly FilterSpec[]`. */
export function useFilters<const Specs extends readonly FilterSpec[]>(specs: Specs): Filters<Specs> {
  const { searchStr, pathname } = useLocation();
  const history = useHistory();
  const given = new URLSearchParams(searchStr);
  const set = specs.flatMap(({ name, kind }) => {
    const value = given.get(name);
    return value === null || value === "" ? [] : [{ name, kind, value }];
  });
  const goTo = (search: URLSearchParams): void =>
    history.replace(search.size === 0 ? pathname : `${pathname}?${search.toString()}`);
  return {
    specs,
    values: Object.fromEntries(
      set.map(({ name, kind, value }) => [name, kind === "until" ? dayAfter(value) : value]),
    ) as FilterValues<Specs>,
    chosen: Object.fromEntries(set.map(({ name, value }) => [name, value])) as FilterValues<Specs>,
    change: (name, value) => {
      if (value === undefined || value === "") given.delete(name);
      else given.set(name, value);
      goTo(given);
    },
    clear: () => {
      for (const { name } of specs) given.delete(name);
      goTo(given);
    },
  };
}

const DAY_MS = 86_400_000;
const YEAR_9999 = Date.UTC(9999, 0, 1);

/** The API's `until` is exclusive. What is no day is sent as it stands, and refused there. */
function dayAfter(day: string): string {
  const next = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) + DAY_MS : Number.NaN;
  return next < YEAR_9999 ? new Date(next).toISOString().slice(0, 10) : day;
}

export function FilterBar<const Specs extends readonly FilterSpec[]>({
  filters,
  children,
}: {
  filters: Filters<Specs>;
  /** More beside them. */
  children?: ReactNode;
}): ReactNode {
  const { specs, chosen, change, clear } = filters;
  return (
    <div className="bh-filters" role="search" aria-label="Filters">
      {specs.map((spec) => {
        const name: Specs[number]["name"] = spec.name;
        return <Filter key={name} spec={spec} value={chosen[name]} change={(value) => change(name, value)} />;
      })}
      {Object.keys(chosen).length > 0 && (
        <Button variant="subtle" size="xs" onClick={clear}>
          Clear filters
        </Button>
      )}
      {children}
    </div>
  );
}

interface FilterProps {
  spec: FilterSpec;
  value: string | undefined;
  change: (value: string | undefined) => void;
}

function Filter({ spec, value, change }: FilterProps): ReactNode {
  const { kind, label, choices = [], placeholder } = spec;
  if (kind === "choice") {
    return (
      <Select
        aria-label={label}
        placeholder={label}
        size="xs"
        w={170}
        clearable
        searchable={choices.length > 8}
        data={choices as (string | { value: string; label: string })[]}
        value={value ?? null}
        onChange={(chosen) => change(chosen ?? undefined)}
        comboboxProps={{ keepMounted: false }}
        clearButtonProps={{ "aria-label": `Clear ${label}` }}
      />
    );
  }
  return <TextFilter key={value ?? ""} {...{ kind, label, placeholder, value, change }} />;
}

interface TextFilterProps extends Pick<FilterProps, "value" | "change"> {
  kind: "text" | "since" | "until";
  label: string;
  placeholder: string | undefined;
}

function TextFilter({ kind, label, placeholder, value = "", change }: TextFilterProps): ReactNode {
  const [text, setText] = useState(value);
  const apply = (): void => {
    if (text.trim() !== value) change(text.trim());
  };
  const isDay = kind !== "text";
  return (
    <TextInput
      aria-label={label}
      title={label}
      placeholder={placeholder ?? label}
      size="xs"
      w={isDay ? 175 : 220}
      {...(isDay ? { leftSection: <span className="bh-filter-name">{label}</span>, leftSectionWidth: 48 } : {})}
      type={isDay ? "date" : "text"}
      value={text}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={apply}
      onKeyDown={({ key }) => {
        if (key === "Enter") apply();
      }}
    />
  );
}
