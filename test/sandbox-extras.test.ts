// Identity, reporting and issuing in the sandbox: each call that Stripe's CLI makes raises the event that it triggers.
import { afterAll, beforeAll, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const ADDRESS = { line1: "1234 Main Street", city: "San Francisco", state: "CA", postal_code: "94111", country: "US" };
const typesAfter = async <T>(act: () => Promise<T>): Promise<[T, string[]]> => {
  const before = sandbox.events().length;
  const result = await act();
  const raised = sandbox.events().slice(before);
  for (const { data, type } of raised) expect(shapeProblems(data.object), type).toEqual([]);
  return [result, raised.map(({ type }) => type)];
};
const holder = () =>
  sandbox.stripe.issuing.cardholders.create({
    name: "My Cardholder",
    type: "individual",
    individual: {
      first_name: "My",
      last_name: "Cardholder",
      card_issuing: { user_terms_acceptance: { date: 1_470_266_163, ip: "91.121.146.224" } },
    },
    billing: { address: ADDRESS },
  });
const card = async (status: "active" | "inactive" = "active") =>
  sandbox.stripe.issuing.cards.create({ currency: "usd", type: "virtual", cardholder: (await holder()).id, status });

it("a verification session is created, cancelled or redacted, and told of", async () => {
  const sessions = sandbox.stripe.identity.verificationSessions;
  const create = () =>
    sessions.create({
      type: "document",
      options: { document: { require_matching_selfie: true } },
      metadata: { a: "b" },
    });
  const [made, created] = await typesAfter(create);
  expect(created).toEqual(["identity.verification_session.created"]);
  expect(made).toMatchObject({ status: "requires_input", options: { document: { require_matching_selfie: true } } });
  const [canceled, told] = await typesAfter(() => sessions.cancel(made.id));
  expect([canceled.status, told]).toEqual(["canceled", ["identity.verification_session.canceled"]]);
  await expect(sessions.cancel(made.id)).rejects.toMatchObject({ statusCode: 400 });
  const other = await create();
  const [redacted, last] = await typesAfter(() => sessions.redact(other.id));
  expect(redacted).toMatchObject({ redaction: { status: "redacted" }, metadata: {} });
  expect(last).toEqual(["identity.verification_session.redacted"]);
  expect((await sessions.list({ status: "canceled" })).data).toHaveLength(2);
});

it("a report run is answered as pending and has succeeded right after", async () => {
  const [run, told] = await typesAfter(() =>
    sandbox.stripe.reporting.reportRuns.create({
      report_type: "balance.summary.1",
      parameters: { interval_start: 1_641_045_832, interval_end: 1_646_143_432 },
    }),
  );
  expect([run.status, told]).toEqual(["pending", ["reporting.report_run.succeeded"]]);
  expect(await sandbox.stripe.reporting.reportRuns.retrieve(run.id)).toMatchObject({ status: "succeeded" });
});

it("cardholders and cards are created and updated, and told of", async () => {
  const [someone, first] = await typesAfter(holder);
  expect(first).toEqual(["issuing_cardholder.created"]);
  const [, second] = await typesAfter(() =>
    sandbox.stripe.issuing.cardholders.update(someone.id, { metadata: { a: "b" } }),
  );
  expect(second).toEqual(["issuing_cardholder.updated"]);
  const [made, third] = await typesAfter(() => card("inactive"));
  expect(third).toEqual(["issuing_cardholder.created", "issuing_card.created"]);
  const [, fourth] = await typesAfter(() => sandbox.stripe.issuing.cards.update(made.id, { status: "active" }));
  expect(fourth).toEqual(["issuing_card.updated"]);
  expect((await sandbox.stripe.issuing.cards.list({ status: "active" })).data.map(({ id }) => id)).toEqual([made.id]);
});

it("an authorization is asked for, created and captured", async () => {
  const { id } = await card();
  const [answer, told] = await typesAfter(() =>
    sandbox.call("POST", `/v1/issuing/cards/${id}/test/authorizations`, "held_amount=100&authorization_method=online"),
  );
  expect(told).toEqual(["issuing_authorization.request", "issuing_authorization.created"]);
  expect(answer.json).toMatchObject({ amount: 100, approved: true, currency: "usd" });
  const [captured, last] = await typesAfter(() =>
    sandbox.stripe.testHelpers.issuing.authorizations.capture(String(answer.json.id)),
  );
  expect([captured.status, captured.transactions.length]).toEqual(["closed", 1]);
  expect(last).toEqual(["issuing_transaction.created", "issuing_authorization.updated"]);
});

it("an inactive card is declined", async () => {
  const { id } = await card("inactive");
  const asked = await sandbox.stripe.testHelpers.issuing.authorizations.create({ card: id, amount: 500 });
  expect(asked).toMatchObject({ approved: false, status: "closed", request_history: [{ reason: "card_inactive" }] });
});

it("a forced capture makes a transaction, and changing it is told", async () => {
  const { id } = await card();
  const [made, told] = await typesAfter(() =>
    sandbox.stripe.testHelpers.issuing.transactions.createForceCapture({
      card: id,
      amount: 100,
      currency: "usd",
      merchant_data: { category: "taxicabs_limousines", name: "Rocket Rides" },
      purchase_details: { receipt: [{ description: "Ride", unit_cost: 10_000 }] },
    }),
  );
  expect([made.amount, told]).toEqual([
    -100,
    ["issuing_transaction.created", "issuing_transaction.purchase_details_receipt_updated"],
  ]);
  const [, updated] = await typesAfter(() =>
    sandbox.stripe.issuing.transactions.update(made.id, { metadata: { order_id: "6735" } }),
  );
  expect(updated).toEqual(["issuing_transaction.updated"]);
});
