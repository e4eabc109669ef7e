// What stands behind the question mark of the page's address; empty while the server draws the page.
"use client";
import { useMemo, useSyncExternalStore } from "react";

const never = () => () => undefined;

export function useQuery(): URLSearchParams {
  const search = useSyncExternalStore(
    never,
    () => location.search,
    () => "",
  );
  return useMemo(() => new URLSearchParams(search), [search]);
}
