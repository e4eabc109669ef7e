// For which tenant and in which mode the pages ask: chosen in the top bar, kept in this browser.
import { useSyncExternalStore } from "react";

import { settings } from "./settings.ts";

export type Mode = "live" | "test";

export interface Standing {
  /** `ten_…`; undefined: none is chosen, or the person has none. */
  tenant: string | undefined;
  mode: Mode;
}

const TENANT = "billhook.tenant";
const MODE = "billhook.mode";

const listeners = new Set<() => void>();
let standing: Standing = { tenant: localStorage.getItem(TENANT) ?? undefined, mode: keptMode() };

function keptMode(): Mode {
  const kept = localStorage.getItem(MODE);
  // The sandbox has no live mode: a choice that was made with real keys must not hide what happens in it.
  if (settings.sandbox_url !== null || (kept !== "live" && kept !== "test")) return settings.livemode ? "live" : "test";
  return kept;
}

export function useStanding(): Standing {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => standing,
  );
}

export function chooseTenant(tenant: string | undefined): void {
  if (tenant === undefined) localStorage.removeItem(TENANT);
  else localStorage.setItem(TENANT, tenant);
  change({ ...standing, tenant });
}

export function chooseMode(mode: Mode): void {
  localStorage.setItem(MODE, mode);
  change({ ...standing, mode });
}

function change(next: Standing): void {
  standing = next;
  for (const listener of listeners) listener();
}
