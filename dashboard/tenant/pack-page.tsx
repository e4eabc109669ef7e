// One of the tenant's credit packs: its terms, how it stands at Stripe, changing it and taking it off sale.
import type { ReactNode } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { usePathPart } from "../parts/page-link.tsx";
import { packBody } from "./offer-bodies.ts";
import type { OfferForm } from "./offer-form.tsx";
import { OfferDetail } from "./offer-detail.tsx";
import { offerOfPack } from "./offer.ts";

const REFRESH_MS = 10_000;

export default function CreditPackPage(): ReactNode {
  const id = usePathPart("id");
  const params = { path: { id } };
  const offer = useRead(
    ["credit-packs", id],
    async (api, signal) => offerOfPack(await api.get("/api/v1/credit-packs/{id}/", { params, signal })),
    { every: REFRESH_MS },
  );
  const save = useAct(
    (api, form: OfferForm) => api.patch("/api/v1/credit-packs/{id}/", { params, body: packBody(form) }),
    { done: "It is saved." },
  );
  const sell = useAct(
    (api, isActive: boolean) => api.patch("/api/v1/credit-packs/{id}/", { params, body: { active: isActive } }),
    { done: (_answer, isActive) => (isActive ? "It is on sale again." : "It is not sold any more.") },
  );
  return (
    <OfferDetail
      id={id}
      list={{ label: "Credit packs", to: "/tenant/credit-packs" }}
      offer={offer}
      save={save}
      sell={sell}
    />
  );
}
