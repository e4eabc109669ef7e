// The area of who buys: credits, and what belongs to the own account at the platform.
import type { Area } from "../frame/hooks.ts";

export const accountArea: Area = {
  label: "Your account",
  pages: [
    {
      path: "/dashboard/credits",
      title: "Credits",
      entry: "Credits",
      who: "user",
      load: () => import("./credits-page.tsx"),
    },
    {
      path: "/dashboard/credits/return",
      title: "Your purchase",
      who: "user",
      load: () => import("./credits-return-page.tsx"),
    },
    {
      path: "/dashboard/purchases",
      title: "Purchases",
      entry: "Purchases",
      who: "user",
      load: () => import("./purchases-page.tsx"),
    },
    {
      path: "/dashboard/subscription",
      title: "Subscription",
      entry: "Subscription",
      who: "user",
      load: () => import("./subscription-page.tsx"),
    },
    {
      path: "/dashboard/subscription/return",
      title: "Your subscription",
      who: "user",
      load: () => import("./subscription-return-page.tsx"),
    },
    {
      path: "/dashboard/payment-method",
      title: "Payment method",
      entry: "Payment method",
      who: "user",
      load: () => import("./payment-method-page.tsx"),
    },
    {
      path: "/dashboard/invoices",
      title: "Invoices",
      entry: "Invoices",
      who: "user",
      load: () => import("./invoices-page.tsx"),
    },
    {
      path: "/dashboard/profile",
      title: "Profile and password",
      entry: "Profile and password",
      who: "user",
      load: () => import("./profile-page.tsx"),
    },
  ],
};
