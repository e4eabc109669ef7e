// What an area says of itself: its pages with who may open them, its entries in the navigation, and where its objects are shown.
import type { ComponentType } from "react";

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
  pages: readonly PageSpec[];
  /** Where the search box leads, by the kind of what it found (`stripe_event`, `account`, …). */
  shows?: Readonly<Record<string, (found: FoundObject) => string>>;
}

/** As `GET /api/v1/search/` and `GET /api/v1/admin/search/` answer. */
export interface FoundObject {
  kind: string;
  id: string;
  title: string | null;
  subtitle: string | null;
  livemode: boolean | null;
  stripe_account: string | null;
  tenant_id: string | null;
  account_id: string | null;
  object_type: string | null;
}
