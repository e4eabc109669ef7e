// Where the search box leads: to the page of what was found that this person may open.
import type { Area, FoundObject } from "./area.ts";
import { AREAS, pageAt } from "./areas.ts";
import { mayOpen, type Me } from "./me.ts";
import type { Mode } from "./standing.ts";

export interface Place {
  to: string;
  /** Whose page it is, and in which mode: they must be those in the top bar. */
  tenant: string | undefined;
  mode: Mode | undefined;
}

/** In the first area that shows this kind, else that has a page near to it. */
export function placeOf(object: FoundObject, me: Me): Place | undefined {
  return placeBy("shows", object, me) ?? placeBy("nearest", object, me);
}

function placeBy(places: keyof Pick<Area, "shows" | "nearest">, object: FoundObject, me: Me): Place | undefined {
  const tenant = object.tenant_id ?? undefined;
  for (const { [places]: known = {}, ofTenant = false } of AREAS) {
    const to = known[object.kind]?.(object);
    const who = to === undefined ? undefined : pageAt(to)?.who;
    if (to === undefined || who === undefined || !mayOpen(who, me, tenant)) continue;
    if (!ofTenant || tenant === undefined) return { to, tenant: undefined, mode: undefined };
    if (me.tenants.some(({ id }) => id === tenant)) return { to, tenant, mode: modeOf(object) };
  }
  return undefined;
}

const modeOf = ({ livemode }: FoundObject): Mode | undefined =>
  livemode === null ? undefined : livemode ? "live" : "test";
