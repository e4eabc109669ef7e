// The page of one object that an id names, as the operator's are: its head at once, the rest when it is there, and what to do
// when it is not.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";

interface OnePageProps<T> {
  id: string;
  of: UseQueryResult<T>;
  /** Where it is listed, or what it belongs to. */
  list: { label: string; to: string };
  /** Left out: its id. */
  title?: (found: T) => ReactNode;
  status?: (found: T) => ReactNode;
  /** One line below the title, whose place is kept. */
  lead?: (found: T) => ReactNode;
  /** Where nothing has this id: what is not there, and what to do. */
  absent: { title: string; help: string };
  lines?: number;
  children: (found: T) => ReactNode;
}

export function OnePage<T>({
  id,
  of,
  list,
  title,
  status,
  lead,
  absent,
  lines = 10,
  children,
}: OnePageProps<T>): ReactNode {
  const found = of.data;
  const whole = <IdText id={id} whole />;
  return (
    <>
      <PageHeader
        title={found === undefined || title === undefined ? whole : title(found)}
        crumbs={[list]}
        beside={found !== undefined && status?.(found)}
      >
        {lead === undefined ? undefined : found === undefined ? "\u00a0" : lead(found)}
      </PageHeader>
      <Loaded of={of} lines={lines} absent={<Empty title={absent.title}>{absent.help}</Empty>}>
        {children}
      </Loaded>
    </>
  );
}

/** Of what is reached by its tenant, and has no list of its own here. */
export const TENANTS = { label: "Tenants", to: "/operator/tenants" };
