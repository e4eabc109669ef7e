// Sources: Stripe's older payment methods, as far as old callers still make them.
import type Stripe from "stripe";

import { blankPart } from "../core/blank.ts";
import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { listOf } from "../core/list.ts";
import { route, type Route } from "../core/route.ts";
import { SHAPES } from "../core/shapes.ts";
import type { Transaction } from "../core/transaction.ts";
import { cardPart, checkedCard, namedCard, useToken, type CardNumber } from "./card.ts";
import { fresh } from "./fresh.ts";
import { cardOfNumber } from "./test-cards.ts";

function createSource(tx: Transaction, p: Stripe.SourceCreateParams): Stripe.Source {
  const type = p.type ?? (p.token === undefined ? undefined : "card");
  if (type === undefined) throw parameterMissing("type");
  const back = type === "card" ? undefined : p.redirect?.return_url;
  const redirects = back !== undefined;
  const id = tx.newId("source");
  const part = type === "card" ? cardOf(tx, id, p) : otherPart(type);
  const source = fresh(tx, "source", {
    id,
    amount: p.amount ?? null,
    client_secret: `${id}_secret_${tx.world.random.text(24)}`,
    currency: p.currency ?? null,
    flow: redirects ? "redirect" : (p.flow ?? "none"),
    metadata: mergeMetadata({}, p.metadata),
    owner: blankPart("source.owner", ownerOf(p.owner)),
    statement_descriptor: p.statement_descriptor ?? null,
    status: redirects ? "pending" : "chargeable",
    type,
    usage: p.usage ?? (type === "card" || type === "sepa_debit" ? "reusable" : "single_use"),
    ...(redirects
      ? {
          redirect: {
            failure_reason: null,
            return_url: back,
            status: "pending",
            url: `${tx.world.origin}/sources/${id}`,
          },
        }
      : {}),
    [type]: part,
  });
  tx.put("source", source);
  if (!redirects) tx.raise("source.chargeable", source);
  return source;
}

function ownerOf(owner: Stripe.SourceCreateParams["owner"]): Record<string, unknown> {
  const { email = null, name = null, phone = null } = owner ?? {};
  const given = owner?.address;
  const address =
    given === undefined
      ? null
      : { city: null, country: null, line1: null, line2: null, postal_code: null, state: null, ...given };
  return { address, email, name, phone };
}

function cardOf(tx: Transaction, id: string, p: Stripe.SourceCreateParams): Record<string, unknown> {
  const raw = (p as { card?: object }).card;
  if (p.token === undefined && raw === undefined) throw parameterMissing("token");
  const card = p.token === undefined ? checkedCard(tx, raw ?? {}) : cardOfToken(tx, p.token);
  const { behavior } = cardOfNumber(card.number);
  tx.put("_instrument", { id, object: "_instrument", created: tx.now, behavior, number: card.number });
  const part = cardPart(card);
  return blankPart("source.card", {
    address_line1_check: null,
    address_zip_check: null,
    brand: part.brand,
    country: part.country,
    cvc_check: "unchecked",
    dynamic_last4: null,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: part.fingerprint,
    funding: part.funding,
    last4: part.last4,
    name: null,
    three_d_secure: "optional",
    tokenization_method: null,
  });
}

function cardOfToken(tx: Transaction, reference: string): CardNumber {
  const token = tx.find("token", reference);
  const named = token === undefined ? namedCard(tx, reference.replace(/^tok_/, "")) : undefined;
  if (named !== undefined) return named;
  if (token?.card === undefined) throw noSuch("token", reference, "token");
  useToken(tx, token);
  const { exp_month, exp_year, id } = token.card;
  return { number: tx.find("_instrument", id)?.number ?? "4242424242424242", exp_month, exp_year };
}

function otherPart(type: string): Record<string, unknown> {
  const shape = SHAPES.get("Source");
  const isKnown = shape !== undefined && "fields" in shape && type in shape.fields;
  if (!isKnown) throw invalidRequest(`Invalid source type: ${type}`, { param: "type" });
  return blankPart(`source.${type}`);
}

export const sourceRoutes: Route[] = [
  route<Stripe.SourceCreateParams>()("POST /v1/sources", (tx, p) => createSource(tx, p)),
  route<object>()("GET /v1/sources/*", (tx, _p, id) => tx.get("source", id)),
  route<Stripe.SourceUpdateParams>()("POST /v1/sources/*", (tx, p, id) => {
    const old = tx.get("source", id);
    const owner = p.owner === undefined ? old.owner : blankPart("source.owner", { ...old.owner, ...p.owner });
    return tx.put("source", { ...old, metadata: mergeMetadata(old.metadata, p.metadata), owner } as Stripe.Source);
  }),
  route<{ limit?: number }>()("GET /v1/sources/*/source_transactions", (tx, p, id) => {
    tx.get("source", id);
    return listOf([], `/v1/sources/${id}/source_transactions`, p);
  }),
];
