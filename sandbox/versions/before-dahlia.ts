// What 2026-09-30.endive and 2026-03-25.dahlia changed: details of a status, and the names of Checkout's looks.
import type Stripe from "stripe";

import { change, type VersionChange, without } from "./version-change.ts";

const ENDIVE = "2026-09-30.endive";
const DAHLIA = "2026-03-25.dahlia";

const OLDER_UI_MODE: Readonly<Record<string, string>> = {
  elements: "custom",
  embedded_page: "embedded",
  hosted_page: "hosted",
};

export const dahliaChanges: readonly VersionChange[] = [
  change(ENDIVE, ["invoice", "subscription"], (object) => without(object, "status_details")),
  change(ENDIVE, "subscription_schedule", (schedule) => without(schedule, "pause_schedules")),
  change(DAHLIA, "checkout.session", (session: Stripe.Checkout.Session) => {
    const { ui_mode } = session;
    return ui_mode === null ? session : { ...session, ui_mode: OLDER_UI_MODE[ui_mode] ?? ui_mode };
  }),
];
