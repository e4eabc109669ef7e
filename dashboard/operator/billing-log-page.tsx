// The billing log: everything that happened, with what each event changed, over all objects.
import type { ReactNode } from "react";

import { useStanding } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { PageHeader } from "../parts/page-frame.tsx";
import { Story, useStory } from "./story.tsx";

const FILTERS = [
  { name: "customer", label: "Customer", kind: "text", placeholder: "Customer, cus_…" },
  { name: "object_id", label: "Object", kind: "text", placeholder: "Object, such as in_…" },
  { name: "account", label: "Stripe account", kind: "text", placeholder: "Account, or platform" },
  { name: "since", label: "Since", kind: "since" },
  { name: "until", label: "Until", kind: "until" },
] as const satisfies readonly FilterSpec[];

export default function BillingLogPage(): ReactNode {
  const filters = useFilters(FILTERS);
  const { mode } = useStanding();
  const list = useStory({ ...filters.values, livemode: mode === "live" ? "true" : "false" });
  return (
    <>
      <PageHeader title="Billing log">What happened at Stripe, and which fields it changed here.</PageHeader>
      <FilterBar filters={filters} />
      <Story list={list} withObject />
    </>
  );
}
