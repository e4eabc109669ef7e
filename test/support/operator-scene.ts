// What the tests of the operator's door look at: a customer's life, sent through the webhook door and processed.
import { expect } from "vitest";
import type { z } from "zod";

import { ROUTES } from "../../src/api/routes.ts";
import { openDoor } from "./api-door.ts";
import type { Answer, Door, Wire } from "./api-door.ts";
import type { Kind } from "./pipe.ts";
import { BEGIN, event, NEW_API } from "./stripe-fixtures.ts";
import type { EventOptions } from "./stripe-fixtures.ts";
import {
  invoicePayment,
  newCustomer,
  newInvoice,
  newSubscription,
  oldInvoice,
  PAID,
} from "./stripe-fixtures-billing.ts";
import { newCharge, newDispute, newPaymentIntent, newRefund } from "./stripe-fixtures-payments.ts";

export const CONNECTED = "acct_operator";
export const EMAIL = "Reader+1@example.com";

export const customer = (id: string, more = {}): ReturnType<typeof newCustomer> =>
  newCustomer({ id, email: EMAIL, ...more });
export const at = (seconds: number, id: string): EventOptions => ({
  id,
  created: BEGIN + seconds,
  apiVersion: NEW_API,
});

/** What the tests below look for. */
export const EVENTS = [
  event("customer.created", customer("cus_op"), at(0, "evt_op_customer")),
  event("customer.subscription.created", newSubscription({ id: "sub_op", customer: "cus_op" }), at(1, "evt_op_sub")),
  event(
    "invoice.created",
    newInvoice({ id: "in_op", customer: "cus_op", customer_email: EMAIL, status: "draft" }),
    at(2, "evt_op_draft"),
  ),
  event(
    "invoice.paid",
    newInvoice({ id: "in_op", customer: "cus_op", customer_email: EMAIL, ...PAID }),
    at(4, "evt_op_paid"),
  ),
  event(
    "invoice_payment.paid",
    invoicePayment({ id: "inpay_op", invoice: "in_op", payment: { type: "payment_intent", payment_intent: "pi_op" } }),
    at(5, "evt_op_inpay"),
  ),
  event(
    "payment_intent.succeeded",
    newPaymentIntent({ id: "pi_op", customer: "cus_op", status: "succeeded", latest_charge: "ch_op" }),
    at(4, "evt_op_pi"),
  ),
  event(
    "charge.succeeded",
    newCharge({ id: "ch_op", customer: "cus_op", payment_intent: "pi_op" }),
    at(4, "evt_op_ch"),
  ),
  event("refund.created", newRefund({ id: "re_op", charge: "ch_op", payment_intent: "pi_op" }), at(6, "evt_op_re")),
  event(
    "charge.dispute.created",
    newDispute({ id: "dp_op", charge: "ch_op", payment_intent: "pi_op" }),
    at(7, "evt_op_dp"),
  ),
  event("coupon.created", { id: "op_coupon", object: "coupon", percent_off: 5 }, at(8, "evt_op_ignored")),
  {
    ...event("invoice.paid", oldInvoice({ id: "in_op_connected", ...PAID }), {
      ...at(9, "evt_op_unrouted"),
      account: CONNECTED,
    }),
  },
  event(
    "invoice.created",
    newInvoice({ id: "in_op_strange", amount_due: "a lot", created: null }),
    at(10, "evt_op_strange"),
  ),
];

export type Item = Wire & { id: string };

export interface ListPage {
  data: Item[];
  has_more: boolean;
  next_cursor: string | null;
}

export interface Scene {
  door: Door;
  /** How often the worker was woken since it was last set to 0. */
  woken: number;
  /** A 200 that fits what the reference says of it. */
  get(path: string): Promise<Wire>;
  list(path: string): Promise<ListPage>;
  close(): Promise<void>;
}

export async function openScene(kind: Kind): Promise<Scene> {
  const scene: Scene = {
    door: await openDoor(kind, { deps: { wake: () => (scene.woken += 1) } }),
    woken: 0,
    get: async (path) => {
      const answer = await scene.door.admin("GET", path);
      expect([path, answer.status]).toEqual([path, 200]);
      expectDocumented(path, answer);
      return answer.json;
    },
    list: async (path) => (await scene.get(path)) as unknown as ListPage,
    close: async () => scene.door.close(),
  };
  for (const one of EVENTS) expect((await scene.door.webhook(JSON.stringify(one))).status).toBe(200);
  await scene.door.pipe.drain();
  return scene;
}

export function idsOf(page: ListPage): string[] {
  return page.data.map(({ id }) => id).sort();
}

export function expectDocumented(path: string, answer: Answer): void {
  const bare = `/api/v1/admin/${path.split("?")[0] ?? ""}`;
  const route = ROUTES.find(
    (one) => one.method === "GET" && new RegExp(`^${one.path.replace(/:\w+/g, "[^/]+")}$`).test(bare),
  );
  const schema = route?.operation.answers[answer.status] as z.ZodType;
  expect(schema.safeParse(answer.json).error?.issues ?? []).toEqual([]);
}
