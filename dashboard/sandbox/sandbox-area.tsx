// The sandbox's area: the guided first run, and making things happen at the local Stripe.
import type { Area } from "../frame/hooks.ts";

export const sandboxArea: Area = {
  label: "Sandbox",
  pages: [
    {
      path: "/welcome",
      title: "First steps",
      entry: "First steps",
      who: "sandbox",
      load: () => import("./welcome-page.tsx"),
    },
    {
      path: "/sandbox",
      title: "Sandbox panel",
      entry: "Sandbox panel",
      who: "sandbox",
      load: () => import("./sandbox-page.tsx"),
    },
  ],
};
