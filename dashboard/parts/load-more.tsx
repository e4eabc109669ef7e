// The rest of a list that is no table: a button that fetches the next page.
import { Button } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ErrorNote } from "./error-note.tsx";

export function LoadMore<T>({ list }: { list: UseInfiniteQueryResult<InfiniteData<T>> }): ReactNode {
  if (list.isFetchNextPageError) return <ErrorNote error={list.error} retry={() => void list.fetchNextPage()} />;
  if (!list.hasNextPage) return null;
  return (
    <Button size="xs" variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      Load more
    </Button>
  );
}
