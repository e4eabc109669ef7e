// One answer on a page: lines of its height while it is on its way, what went wrong, or what it is.
import { Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { BillhookError } from "../../kit/client/client.ts";
import { ErrorNote } from "./error-note.tsx";

export interface LoadedProps<T> {
  of: UseQueryResult<T>;
  /** Lines that stand where it will be, so that nothing jumps when it comes. */
  lines?: number;
  /** In place of lines. */
  waiting?: ReactNode;
  /** Where there is no such object; left out: the error says so. */
  absent?: ReactNode;
  children: (answer: T) => ReactNode;
}

export function Loaded<T>({ of, lines = 4, waiting, absent, children }: LoadedProps<T>): ReactNode {
  if (of.data !== undefined) return children(of.data);
  if (absent !== undefined && of.error instanceof BillhookError && of.error.status === 404) return absent;
  if (of.error !== null) return <ErrorNote error={of.error} retry={() => void of.refetch()} />;
  return waiting ?? <Waiting lines={lines} />;
}

export function Waiting({ lines = 4 }: { lines?: number }): ReactNode {
  return (
    <div role="status" aria-label="Loading" className="bh-waiting">
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={14} width={`${90 - ((line * 17) % 40)}%`} />
      ))}
    </div>
  );
}
