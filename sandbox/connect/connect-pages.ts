// Every page of Connect: onboarding, the Express dashboard, OAuth consent.
import type { PageRoute } from "../pages/page.ts";
import { consentPages } from "./consent-page.ts";
import { onboardingPages } from "./onboarding-page.ts";

export const connectPages: PageRoute[] = [...onboardingPages, ...consentPages];
