// What an area says of itself: its pages with who may open them, its entries in the navigation, and where its objects are shown.
import type { ComponentType } from "react";

import type { components } from "../../kit/client/client.ts";
import type { Who } from "./me.ts";

export interface PageSpec {
  /** As TanStack Router has it: `/operator/stripe-events/$id`. */
  path: string;
  /** Of the browser's tab. */
  title: string;
  who: Who;
  /** The page's own file: a piece that is loaded when it is first opened. */
  load: () => Promise<{ default: ComponentType }>;
  /** Its entry in the navigation; left out: it is reached from other pages. */
  entry?: string;
}

export interface Area {
  /** Above its entries. */
  label: string;
  /** All of it is of the tenant in the top bar, whose name stands beside the label. */
  ofTenant?: boolean;
  pages: readonly PageSpec[];
  /** Where the search box leads, by the kind of what it found. */
  shows?: Places;
  /** Of what no area shows to this person: the page that comes nearest. */
  nearest?: Places;
}

/** undefined: of this one it shows nothing. */
export type Places = Readonly<Partial<Record<FoundObject["kind"], (found: FoundObject) => string | undefined>>>;

/** As `GET /api/v1/search/` and `GET /api/v1/admin/search/` answer. */
export type FoundObject = components["schemas"]["SearchHit"];
