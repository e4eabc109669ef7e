// The control endpoint that pays an open checkout as its page would: for programs, and for the dashboard's sandbox panel.
import { confirmSession } from "../checkout/confirm.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { ControlRoute } from "../delivery/control.ts";
import { type Given, givenText } from "../delivery/given.ts";
import { scopeWith } from "./page.ts";

const CARD = "pm_card_visa";

export const payControl: ControlRoute[] = [
  {
    pattern: "POST /_sandbox/checkout/*/pay",
    answer: (world, { body, ids }) => payCheckout(world, ids[0] ?? "", body),
  },
];

/** With the test card that always succeeds, unless the field `payment_method` names another one. Answers with the session. */
function payCheckout(world: World, id: string, body: Given): object {
  const scope = scopeWith(world, "checkout.session", id);
  if (scope === undefined) throw noSuch("checkout.session", id);
  const attempt = { payment_method: givenText(body, "payment_method") ?? CARD };
  // What a declined card leaves behind is kept: the refusal is thrown when that is done.
  const outcome = world.run((tx) => confirmSession(tx, id, attempt), scope);
  if (outcome.kind === "declined") throw outcome.failure;
  if (outcome.kind === "complete") return outcome.session;
  throw invalidRequest("This card asks its bank: pay with it on the checkout's page.", { param: "payment_method" });
}
