// What the search box finds: pages by their names, objects by asking the server. For an operator everywhere, else in the tenant.
import type { UseQueryResult } from "@tanstack/react-query";

import type { BillhookError } from "../../kit/client/client.ts";
import { wordOf } from "../parts/status-dot.tsx";
import type { FoundObject } from "./area.ts";
import { entriesFor } from "./areas.ts";
import { useRead } from "./asking.ts";
import { isOperator, type Me } from "./me.ts";

export interface Found {
  key: string;
  title: string;
  subtitle: string | undefined;
  kind: string;
  to: string;
}

/** Shorter words begin too many addresses. */
const SHORTEST = 2;

export function pagesNamed(me: Me, tenant: string | undefined, text: string): Found[] {
  const word = text.trim().toLowerCase();
  return entriesFor(me, tenant).flatMap(({ area, pages }) =>
    pages
      .filter(({ entry = "" }) => `${entry} ${area.label}`.toLowerCase().includes(word))
      .map(({ path, entry = "" }) => ({ key: path, title: entry, subtitle: undefined, kind: area.label, to: path })),
  );
}

/** Those that some page shows. */
export function useFoundObjects(
  me: Me,
  text: string,
): { found: Found[]; query: UseQueryResult<Found[], BillhookError> } {
  const q = text.trim();
  const path = isOperator(me) ? "/api/v1/admin/search/" : "/api/v1/search/";
  const query = useRead(
    ["search", path, q],
    async (api, signal) => {
      const get = api.get as unknown as (at: string, init: object) => Promise<{ data: FoundObject[] }>;
      const { data } = await get(path, { params: { query: { q } }, signal });
      return data.flatMap((object) => shown(object, me));
    },
    { enabled: q.length >= SHORTEST && (isOperator(me) || me.tenants.length > 0) },
  );
  return { found: query.data ?? [], query };
}

/** In the first area that shows this kind, of those that the person may open. */
function pathOf(object: FoundObject, me: Me): string | undefined {
  const open = entriesFor(me, object.tenant_id ?? undefined).map(({ area }) => area);
  return open.flatMap(({ shows = {} }) => shows[object.kind] ?? [])[0]?.(object);
}

function shown(object: FoundObject, me: Me): Found[] {
  const { kind, id, title, subtitle, livemode } = object;
  const to = pathOf(object, me);
  if (to === undefined) return [];
  const name = livemode === false ? `${wordOf(kind)}, test` : wordOf(kind);
  return [
    {
      key: `${kind} ${id} ${String(livemode)} ${object.stripe_account ?? ""}`,
      title: title ?? id,
      subtitle: subtitle ?? undefined,
      kind: name,
      to,
    },
  ];
}
