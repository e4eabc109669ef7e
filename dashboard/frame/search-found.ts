// What the search box finds: pages by their names, objects by asking the server. For an operator everywhere, else in the tenant.
import type { UseQueryResult } from "@tanstack/react-query";

import type { BillhookError } from "../../kit/client/client.ts";
import { wordOf } from "../parts/status-dot.tsx";
import type { FoundObject } from "./area.ts";
import { entriesFor } from "./areas.ts";
import { useRead } from "./asking.ts";
import { isOperator, type Me } from "./me.ts";
import { placeOf } from "./place-of.ts";
import type { Mode } from "./standing.ts";

export interface Found {
  key: string;
  title: string;
  subtitle: string | undefined;
  kind: string;
  to: string;
  /** Chosen when it is opened; undefined: the one that is chosen stays. */
  tenant: string | undefined;
  mode: Mode | undefined;
}

/** Shorter words begin too many addresses. */
const SHORTEST = 2;

export function pagesNamed(me: Me, tenant: string | undefined, text: string): Found[] {
  const word = text.trim().toLowerCase();
  return entriesFor(me, tenant).flatMap(({ area, pages }) =>
    pages
      .filter(({ entry = "" }) => `${entry} ${area.label}`.toLowerCase().includes(word))
      .map(({ path, entry = "" }) => ({
        ...{ key: path, title: entry, subtitle: undefined, kind: area.label },
        ...{ to: path, tenant: undefined, mode: undefined },
      })),
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
      const { data } = await api.get(path, { params: { query: { q } }, signal });
      return data.flatMap((object) => shown(object, me));
    },
    { enabled: q.length >= SHORTEST && (isOperator(me) || me.tenants.length > 0) },
  );
  return { found: query.data ?? [], query };
}

/** A tenant's people find what is theirs, in the mode that they have chosen. */
export function nothingFound(me: Me, mode: Mode): string {
  const where = isOperator(me) ? "" : ` of yours in ${mode} mode`;
  return `Nothing found${where}: ids and addresses must be whole.`;
}

function shown(object: FoundObject, me: Me): Found[] {
  const { kind, id, title, subtitle, livemode } = object;
  const place = placeOf(object, me);
  if (place === undefined) return [];
  const name = livemode === false ? `${wordOf(kind)}, test` : wordOf(kind);
  return [
    {
      key: `${kind} ${id} ${String(livemode)} ${object.stripe_account ?? ""}`,
      title,
      subtitle: subtitle ?? undefined,
      kind: name,
      ...place,
    },
  ];
}
