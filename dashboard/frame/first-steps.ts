// Whether the sign-in link leads to the guided first run: in sandbox mode, until it is put away in this browser.
import { settings } from "./settings.ts";

export const FIRST_STEPS = "/welcome";

const MARK = "billhook.first-steps";

export const firstStepsWait = (): boolean => settings.sandbox_url !== null && localStorage.getItem(MARK) === null;

/** The page stays where it is; nobody is led there any more. */
export function dismissFirstSteps(): void {
  localStorage.setItem(MARK, "dismissed");
}
