// One box for every object and page: ⌘K or Ctrl K, an id of Stripe's or ours, an address, or a page's name.
import { Modal, TextInput } from "@mantine/core";
import { useDebouncedValue, useHotkeys } from "@mantine/hooks";
import { type KeyboardEvent, type ReactNode, useState } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { Icon } from "../parts/icons.tsx";
import { useGo } from "../parts/page-link.tsx";
import { useMe } from "./me.ts";
import { type Found, nothingFound, pagesNamed, useFoundObjects } from "./search-found.ts";
import { chooseMode, chooseTenant, useStanding } from "./standing.ts";

const PAUSE_MS = 150;
const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function SearchBox(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  useHotkeys([["mod+K", () => setOpen(true)]], []);
  return (
    <>
      <button
        type="button"
        className="bh-top-button bh-top-search"
        aria-keyshortcuts={isMac ? "Meta+K" : "Control+K"}
        onClick={() => setOpen(true)}
      >
        <Icon name="search" /> <span>Search</span> <kbd aria-hidden>{isMac ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <Modal
        opened={isOpen}
        onClose={() => setOpen(false)}
        withCloseButton={false}
        title={<span className="bh-hidden">Search</span>}
        styles={{ header: { minHeight: 0, paddingBlock: 0 } }}
        padding="xs"
        yOffset="12vh"
        size="lg"
      >
        {isOpen && <Search close={() => setOpen(false)} />}
      </Modal>
    </>
  );
}

function Search({ close }: { close: () => void }): ReactNode {
  const me = useMe();
  const { tenant, mode } = useStanding();
  const go = useGo();
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text, PAUSE_MS);
  const [at, setAt] = useState(0);
  const { found: objects, query } = useFoundObjects(me, asked);
  const found = [...(asked === text ? objects : []), ...pagesNamed(me, tenant, text)];
  const current = Math.min(at, found.length - 1);
  const open = ({ to, tenant: of, mode }: Found): void => {
    close();
    if (of !== undefined) chooseTenant(of);
    if (mode !== undefined) chooseMode(mode);
    go(to);
  };
  const pressed = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    const chosen = found[current];
    if (step !== 0) setAt(Math.max(0, Math.min(found.length - 1, current + step)));
    else if (event.key === "Enter" && chosen !== undefined) open(chosen);
    else return;
    event.preventDefault();
  };
  const isWaiting = query.isFetching || asked !== text;
  return (
    <>
      <TextInput
        data-autofocus
        aria-label="Search for an id, an e-mail address or a page"
        placeholder="An id (cus_, in_, evt_, acc_ …), an e-mail address, a page"
        leftSection={<Icon name="search" />}
        value={text}
        onChange={({ currentTarget }) => {
          setText(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={pressed}
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls="bh-found"
        aria-activedescendant={found.length > 0 ? `bh-found-${current}` : undefined}
        autoComplete="off"
        spellCheck={false}
      />
      {query.error?.status !== 404 && <ErrorNote error={query.error} />}
      <FoundList found={found} current={current} open={open} />
      <p role="status" className="bh-foot">
        {isWaiting ? "Searching…" : found.length === 0 ? nothingFound(me, mode) : ""}
      </p>
    </>
  );
}

function FoundList({
  found,
  current,
  open,
}: {
  found: Found[];
  current: number;
  open: (one: Found) => void;
}): ReactNode {
  if (found.length === 0) return null;
  return (
    <ul className="bh-found" id="bh-found" role="listbox" aria-label="Found">
      {found.map((one, index) => (
        <li
          key={one.key}
          id={`bh-found-${index}`}
          role="option"
          aria-selected={index === current}
          onClick={() => open(one)}
          ref={(item) => {
            if (index === current) item?.scrollIntoView({ block: "nearest" });
          }}
        >
          <span>{one.title}</span>
          {one.subtitle !== undefined && <span className="bh-dim">{one.subtitle}</span>}
          <span className="bh-kind">{one.kind}</span>
        </li>
      ))}
    </ul>
  );
}
