// One of the tenant's plans: its terms, how it stands at Stripe, changing it and taking it off sale.
import type { ReactNode } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { usePathPart } from "../parts/page-link.tsx";
import { planBody } from "./offer-bodies.ts";
import type { OfferForm } from "./offer-form.tsx";
import { OfferDetail } from "./offer-detail.tsx";
import { offerOfPlan } from "./offer.ts";

const REFRESH_MS = 10_000;

export default function PlanPage(): ReactNode {
  const id = usePathPart("id");
  const params = { path: { id } };
  const offer = useRead(
    ["plans", id],
    async (api, signal) => offerOfPlan(await api.get("/api/v1/plans/{id}/", { params, signal })),
    { every: REFRESH_MS },
  );
  const save = useAct((api, form: OfferForm) => api.patch("/api/v1/plans/{id}/", { params, body: planBody(form) }), {
    done: "It is saved.",
  });
  const sell = useAct(
    (api, isActive: boolean) => api.patch("/api/v1/plans/{id}/", { params, body: { is_active: isActive } }),
    { done: (_answer, isActive) => (isActive ? "It is on sale again." : "It is not sold any more.") },
  );
  return <OfferDetail id={id} list={{ label: "Plans", to: "/tenant/plans" }} offer={offer} save={save} sell={sell} />;
}
