// Which address shows what: the pages of the frame, and those that the areas name.
import { createRootRoute, createRoute, createRouter, Outlet } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";

import { Waiting } from "../parts/loaded.tsx";
import type { PageSpec } from "./area.ts";
import { AREAS } from "./areas.ts";
import { FirstPage, NotFoundPage, PageGate } from "./gates.tsx";
import { Shell } from "./shell.tsx";

/** Pages for who is not signed in: one piece, for most who come are. */
const PERSON_PAGES = {
  "/sign-in": lazy(() => import("./sign-in-page.tsx")),
  "/sign-in/link": lazy(() => import("./sign-in-link-page.tsx")),
  "/register": lazy(() => import("./register-page.tsx")),
  "/register/tenant": lazy(() => import("./register-tenant-page.tsx")),
  "/forgot-password": lazy(() => import("./forgot-password-page.tsx")),
  "/reset-password": lazy(() => import("./reset-password-page.tsx")),
  "/verify-address": lazy(() => import("./verify-address-page.tsx")),
  "/invitation": lazy(() => import("./invitation-page.tsx")),
};

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: BrokenPage });
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell });

const personRoutes = Object.entries(PERSON_PAGES).map(([path, Page]) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: () => (
      <Suspense fallback={null}>
        <Page />
      </Suspense>
    ),
  }),
);
const first = createRoute({ getParentRoute: () => shell, path: "/", component: FirstPage });
const areaRoutes = AREAS.flatMap(({ pages }) => pages).map((spec) =>
  createRoute({ getParentRoute: () => shell, path: spec.path, component: pageOf(spec), errorComponent: BrokenPage }),
);

function pageOf(spec: PageSpec): () => ReactNode {
  const Page = lazy(spec.load);
  return function GatedPage() {
    return (
      <PageGate spec={spec}>
        <Suspense fallback={<Waiting lines={8} />}>
          <Page />
        </Suspense>
      </PageGate>
    );
  };
}

export const router = createRouter({
  routeTree: root.addChildren([...personRoutes, shell.addChildren([first, ...areaRoutes])]),
  // Parameters are text, as they are written: an id of digits is no number.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(search as Record<string, string>).toString();
    return text === "" ? "" : `?${text}`;
  },
  scrollRestoration: true,
});

/** A page's piece may be gone after an update: a load fetches the new one. */
function BrokenPage(): ReactNode {
  return (
    <div role="alert" className="bh-empty">
      <p className="bh-strong">This page could not be shown.</p>
      <p>
        <button type="button" className="bh-top-button" onClick={() => location.reload()}>
          Load it again
        </button>
      </p>
    </div>
  );
}
