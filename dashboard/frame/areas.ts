// The whole dashboard on one page: its areas, in the order of the navigation.
import { accountArea } from "../account/account-area.tsx";
import { operatorArea } from "../operator/operator-area.tsx";
import { sandboxArea } from "../sandbox/sandbox-area.tsx";
import { tenantArea } from "../tenant/tenant-area.tsx";
import type { Area, PageSpec } from "./area.ts";
import { mayOpen, type Me } from "./me.ts";

export const AREAS: readonly Area[] = [operatorArea, tenantArea, accountArea, sandboxArea];

/** What this person finds in the navigation. */
export function entriesFor(me: Me, tenant: string | undefined): { area: Area; pages: PageSpec[] }[] {
  return AREAS.map((area) => ({
    area,
    pages: area.pages.filter(({ entry, who }) => entry !== undefined && mayOpen(who, me, tenant)),
  })).filter(({ pages }) => pages.length > 0);
}

/** The page that an address of an area shows. */
export function pageAt(path: string): PageSpec | undefined {
  const parts = path.replace(/[?#].*/, "").split("/");
  return AREAS.flatMap(({ pages }) => pages).find((page) => {
    const pattern = page.path.split("/");
    return (
      pattern.length === parts.length && pattern.every((part, index) => part.startsWith("$") || part === parts[index])
    );
  });
}

/** Where `/` leads. */
export function firstPath(me: Me, tenant: string | undefined): string {
  return entriesFor(me, tenant)[0]?.pages[0]?.path ?? "/dashboard/credits";
}
