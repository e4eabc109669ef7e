// What stands around every page of who is signed in: the navigation, the bar, and the way to the content.
import { Drawer } from "@mantine/core";
import { Outlet, useLocation } from "@tanstack/react-router";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";

import { ErrorNote } from "../parts/error-note.tsx";
import { Waiting } from "../parts/loaded.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { entriesFor } from "./areas.ts";
import { CardPage } from "./card-page.tsx";
import { membershipOf, useMe, useMembership, useMeQuery } from "./me.ts";
import { signInPath } from "./next-path.ts";
import { useSessionPerson } from "./session.ts";
import { productName } from "./settings.ts";
import { chooseTenant, useStanding } from "./standing.ts";
import { TopBar } from "./top-bar.tsx";

export function Shell(): ReactNode {
  const person = useSessionPerson();
  const me = useMeQuery();
  const go = useGo();
  const { tenant } = useStanding();
  useEffect(() => {
    if (person === undefined) go(signInPath(), { replace: true });
  });
  // A tenant that was chosen here by somebody else, or that one has left, is none of this person's.
  const own = me.data === undefined ? tenant : membershipOf(me.data, tenant)?.id;
  useEffect(() => {
    if (own !== tenant) chooseTenant(own);
  }, [own, tenant]);
  if (person === undefined) return null;
  if (me.data !== undefined && own === tenant) return <Frame />;
  if (me.error !== null && me.data === undefined) {
    return (
      <CardPage title="The dashboard cannot be shown">
        <ErrorNote error={me.error} retry={() => void me.refetch()} />
      </CardPage>
    );
  }
  return (
    <CardPage title="One moment">
      <Waiting lines={3} />
    </CardPage>
  );
}

function Frame(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    setOpen(false);
    // A new page is read from its beginning; the first one from the document's.
    if (before.current !== pathname) main.current?.focus({ preventScroll: true });
    before.current = pathname;
  }, [pathname]);
  return (
    <>
      <a className="bh-skip" href="#content">
        Skip to the content
      </a>
      <div className="bh-frame">
        <div className="bh-side">
          <Navigation />
        </div>
        <Drawer opened={isOpen} onClose={() => setOpen(false)} size={260} title={productName} padding="xs">
          {isOpen && <Navigation isInDrawer />}
        </Drawer>
        <div className="bh-right">
          <TopBar openMenu={() => setOpen(true)} />
          <main className="bh-main" id="content" ref={main} tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
    </>
  );
}

function Navigation({ isInDrawer = false }: { isInDrawer?: boolean }): ReactNode {
  const { tenant } = useStanding();
  const { pathname } = useLocation();
  const entries = entriesFor(useMe(), tenant);
  const tenantName = useMembership()?.company_name;
  const of = useId();
  // The longest entry that the address begins with: a list's objects belong to the list.
  const paths = entries.flatMap(({ pages }) => pages.map(({ path }) => path));
  const current = paths
    .filter((path) => pathname === path || pathname.startsWith(`${path}/`))
    .sort((one, other) => other.length - one.length)[0];
  return (
    <>
      {!isInDrawer && (
        <PageLink to="/" className="bh-brand">
          {productName}
        </PageLink>
      )}
      <nav aria-label="Main" className="bh-nav">
        {entries.map(({ area: { label, ofTenant = false }, pages }, index) => (
          <div key={label}>
            <p className="bh-nav-label" id={`${of}-${index}`}>
              {label}
              {ofTenant && tenantName !== undefined && `: ${tenantName}`}
            </p>
            <ul aria-labelledby={`${of}-${index}`}>
              {pages.map(({ path, entry, load }) => (
                <li key={path}>
                  <PageLink
                    to={path}
                    aria-current={path === current ? "page" : undefined}
                    onPointerEnter={() => void load()}
                  >
                    {entry}
                  </PageLink>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
    </>
  );
}
