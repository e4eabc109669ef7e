// Payment links of the sandbox, as a browser visits them.
import { afterAll, beforeAll, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

test("a payment link begins a session for each visit", async () => {
  const price = await sandbox.stripe.prices.create({
    unit_amount: 700,
    currency: "usd",
    product_data: { name: "Tip" },
  });
  const link = await sandbox.stripe.paymentLinks.create({ line_items: [{ price: price.id, quantity: 2 }] });
  const visit = await sandbox.call("GET", `/b/${link.id}?client_reference_id=user_7`);
  expect(visit.status).toBe(303);
  const id = String(visit.headers.location).replace("/c/pay/", "");
  expect(await sandbox.stripe.checkout.sessions.retrieve(id)).toMatchObject({
    amount_total: 1400,
    client_reference_id: "user_7",
    payment_link: link.id,
  });
  const paid = await sandbox.call("POST", `/c/pay/${id}`, "email=a%40example.com&test_card=4242424242424242");
  expect(paid.headers.location).toContain(id);
});
