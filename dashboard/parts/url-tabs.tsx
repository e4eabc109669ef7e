// Tabs that are in the page's address: `?tab=attempts`.
import { Tabs } from "@mantine/core";
import { useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useHistory } from "./page-link.tsx";

export interface UrlTab {
  /** In the address. */
  name: string;
  label: string;
  /** Made when the tab is opened. */
  content: () => ReactNode;
}

/** The first tab is the page's own address. */
export function UrlTabs({ tabs, param = "tab" }: { tabs: readonly UrlTab[]; param?: string }): ReactNode {
  const { searchStr, pathname } = useLocation();
  const history = useHistory();
  const search = new URLSearchParams(searchStr);
  const open = tabs.find(({ name }) => name === search.get(param)) ?? tabs[0];
  const goTo = (name: string | null): void => {
    if (name === null || name === tabs[0]?.name) search.delete(param);
    else search.set(param, name);
    history.replace(search.size === 0 ? pathname : `${pathname}?${search.toString()}`);
  };
  return (
    <Tabs value={open?.name ?? null} onChange={goTo} keepMounted={false}>
      <Tabs.List mb="md">
        {tabs.map(({ name, label }) => (
          <Tabs.Tab key={name} value={name}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ name, content }) => (
        <Tabs.Panel key={name} value={name}>
          {name === open?.name && content()}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
