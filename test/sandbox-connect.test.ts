// Connected accounts of the sandbox, over HTTP with the official SDK: what is due, what it may do, who is told.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
import { BANK, COMPLETE_ACCOUNT, PERSON } from "./support/connected-accounts.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const eventsOf = (account: string): Stripe.Event[] =>
  sandbox.world.run((tx) => tx.all("event"), { livemode: false, account });
const typesOf = (account: string): string[] => eventsOf(account).map(({ type }) => type);
const link = (account: string): Promise<Stripe.AccountLink> =>
  sandbox.stripe.accountLinks.create({
    account,
    type: "account_onboarding",
    refresh_url: "http://localhost:8000/again",
    return_url: "http://localhost:8000/back",
  });
const pathOf = (url: string): string => url.replace(sandbox.url, "");
const sessionOf = (page: string): string => /name="session" value="(\w+)"/.exec(page)?.[1] ?? "";

describe("a new account", () => {
  it("has everything due, may do nothing, and its capabilities say so", async () => {
    const account = await sandbox.stripe.accounts.create({ type: "express", email: "shop@example.com" });
    expect(account).toMatchObject({
      charges_enabled: false,
      payouts_enabled: false,
      details_submitted: false,
      capabilities: { card_payments: "inactive", transfers: "inactive" },
      requirements: { disabled_reason: "requirements.past_due" },
      controller: { stripe_dashboard: { type: "express" }, requirement_collection: "stripe" },
    });
    expect(account.requirements?.currently_due).toContain("external_account");
    expect(account.requirements?.past_due).toEqual(account.requirements?.currently_due);
    expect(typesOf(account.id)).toEqual(["capability.updated", "capability.updated", "account.updated"]);
    const capabilities = await sandbox.stripe.accounts.listCapabilities(account.id);
    expect(capabilities.data.map(({ id, status }) => [id, status])).toEqual([
      ["card_payments", "inactive"],
      ["transfers", "inactive"],
    ]);
  });

  it("is a standard one when nothing is said, and what type and controller say together is refused", async () => {
    expect(await sandbox.stripe.accounts.create({})).toMatchObject({ type: "standard", country: "US" });
    const controller = { stripe_dashboard: { type: "none" }, losses: { payments: "application" } } as const;
    const made = await sandbox.stripe.accounts.create({
      controller: { ...controller, requirement_collection: "application" },
    });
    expect(made).toMatchObject({ type: "none", controller: { ...controller, is_controller: true } });
    await expect(sandbox.stripe.accounts.create({ type: "custom", controller })).rejects.toThrow(/mutually exclusive/);
  });

  it("whose platform tells all that is due is active at once", async () => {
    const account = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
    expect(account.requirements?.currently_due).toEqual([]);
    expect(account).toMatchObject({
      charges_enabled: true,
      payouts_enabled: true,
      details_submitted: true,
      capabilities: { card_payments: "active", transfers: "active" },
      individual: { first_name: "Jenny", ssn_last_4_provided: true, verification: { status: "verified" } },
      external_accounts: { data: [{ last4: "6789", default_for_currency: true }] },
    });
    expect(JSON.stringify(account)).not.toContain("0000123456789");
  });

  it("becomes active with the last missing field, and each move is told with what was before", async () => {
    const { tos_acceptance = {}, ...rest } = COMPLETE_ACCOUNT;
    const { id, ...before } = await sandbox.stripe.accounts.create(rest);
    expect(before.requirements?.currently_due).toEqual(["tos_acceptance.date", "tos_acceptance.ip"]);
    const after = await sandbox.stripe.accounts.update(id, { tos_acceptance });
    expect(after).toMatchObject({ charges_enabled: true, payouts_enabled: true, details_submitted: true });
    const last = eventsOf(id).slice(-3);
    expect(last.map(({ type }) => type)).toEqual(["capability.updated", "capability.updated", "account.updated"]);
    expect(last[0]?.data).toMatchObject({ object: { status: "active" }, previous_attributes: { status: "inactive" } });
    expect(last[2]?.data.previous_attributes).toMatchObject({ charges_enabled: false, details_submitted: false });
  });
});

describe("an account's parts", () => {
  it("without a bank account it takes money and is not paid out; with one it is", async () => {
    const { external_account: _, ...rest } = COMPLETE_ACCOUNT;
    const { id, ...before } = await sandbox.stripe.accounts.create(rest);
    expect(before).toMatchObject({ charges_enabled: true, payouts_enabled: false, details_submitted: true });
    expect(before.requirements?.currently_due).toEqual(["external_account"]);
    const external = await sandbox.stripe.accounts.createExternalAccount(id, { external_account: "btok_us_verified" });
    expect(external).toMatchObject({ object: "bank_account", account: id, last4: "6789" });
    expect(await sandbox.stripe.accounts.retrieve(id)).toMatchObject({ payouts_enabled: true });
    expect(typesOf(id).slice(-2)).toEqual(["account.external_account.created", "account.updated"]);
  });

  it("persons are made, changed, listed by role and deleted, with their events", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "custom", business_type: "company" });
    const person = await sandbox.stripe.accounts.createPerson(id, {
      first_name: "Ann",
      relationship: { representative: true },
    });
    const due = (await sandbox.stripe.accounts.retrieve(id)).requirements?.currently_due ?? [];
    expect(due).toContain(`${person.id}.last_name`);
    expect(due).toContain("company.tax_id");
    await sandbox.stripe.accounts.updatePerson(id, person.id, { ...PERSON, metadata: { role: "boss" } });
    expect(await sandbox.stripe.accounts.retrievePerson(id, person.id)).toMatchObject({
      verification: { status: "verified" },
      metadata: { role: "boss" },
    });
    const owners = await sandbox.stripe.accounts.listPersons(id, { relationship: { owner: true } });
    expect(owners.data).toEqual([]);
    expect(await sandbox.stripe.accounts.deletePerson(id, person.id)).toMatchObject({ deleted: true });
    expect(typesOf(id).filter((type) => type.startsWith("person."))).toEqual([
      "person.created",
      "person.updated",
      "person.deleted",
    ]);
  });

  it("the default bank account of the account's currency is not deleted, another one is", async () => {
    const { id } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
    const second = await sandbox.stripe.accounts.createExternalAccount(id, {
      external_account: { ...BANK, account_number: "000222222227" },
    });
    const list = await sandbox.stripe.accounts.listExternalAccounts(id);
    expect(list.data).toHaveLength(2);
    const first = list.data.find((external) => external.default_for_currency);
    await expect(sandbox.stripe.accounts.deleteExternalAccount(id, first?.id ?? "")).rejects.toThrow(
      /default external/,
    );
    await sandbox.stripe.accounts.updateExternalAccount(id, second.id, { default_for_currency: true });
    expect(await sandbox.stripe.accounts.deleteExternalAccount(id, first?.id ?? "")).toMatchObject({ deleted: true });
    expect(typesOf(id)).toContain("account.external_account.deleted");
  });

  it("a debit card is paid out to, and what is no bank account is refused", async () => {
    const { id } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
    const card = await sandbox.stripe.accounts.createExternalAccount(id, { external_account: "tok_visa_debit" });
    expect(card).toMatchObject({ object: "card", funding: "debit", default_for_currency: false });
    const wrong = { ...BANK, routing_number: "12" };
    await expect(sandbox.stripe.accounts.createExternalAccount(id, { external_account: wrong })).rejects.toMatchObject({
      code: "routing_number_invalid",
    });
    await expect(
      sandbox.stripe.accounts.createExternalAccount(id, { external_account: "btoken" }),
    ).rejects.toMatchObject({ code: "resource_missing" });
  });

  it("of a standard account the platform sees no persons, and changes nothing that the account told itself", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "standard" });
    await expect(sandbox.stripe.accounts.listPersons(id)).rejects.toMatchObject({ statusCode: 403 });
    sandbox.world.run((tx) => tx.put("account", { ...tx.get("account", id), details_submitted: true }));
    await expect(sandbox.stripe.accounts.update(id, { email: "new@example.com" })).rejects.toMatchObject({
      statusCode: 403,
      param: "email",
    });
  });

  it("a capability that is given back is unrequested, and one that nobody knows is an error", async () => {
    const { id } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
    const given = await sandbox.stripe.accounts.updateCapability(id, "transfers", { requested: false });
    expect(given).toMatchObject({ requested: false, status: "unrequested" });
    expect((await sandbox.stripe.accounts.retrieve(id)).capabilities).toEqual({ card_payments: "active" });
    await expect(sandbox.stripe.accounts.updateCapability(id, "flying", { requested: true })).rejects.toMatchObject({
      code: "resource_missing",
    });
  });

  it("rejecting it disables it, taking that back enables it", async () => {
    const { id } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
    const rejected = await sandbox.stripe.accounts.reject(id, { reason: "terms_of_service" });
    expect(rejected).toMatchObject({
      charges_enabled: false,
      requirements: { disabled_reason: "rejected.platform_terms_of_service" },
    });
    expect(await sandbox.stripe.accounts.unreject(id)).toMatchObject({ charges_enabled: true });
  });
});

describe("an account link", () => {
  it("leads once to onboarding, which clears what is due and returns", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "express" });
    const { url, expires_at, created } = await link(id);
    expect(expires_at - created).toBe(300);
    const page = await sandbox.call("GET", pathOf(url));
    expect(page.status).toBe(200);
    expect(page.text).toContain("Stripe sandbox: no real money");
    const again = await sandbox.call("GET", pathOf(url));
    expect([again.status, again.headers.location]).toEqual([303, "http://localhost:8000/again"]);
    const session = sessionOf(page.text);
    const wrong = await sandbox.call("POST", pathOf(url), `session=${session}&act=complete&name=&email=a@b.co`);
    expect(wrong.status).toBe(400);
    const form = `session=${session}&act=complete&name=Jenny+Rosen&email=jenny%40example.com&bank=yes&business_type=company`;
    const done = await sandbox.call("POST", pathOf(url), form);
    expect([done.status, done.headers.location]).toEqual([303, "http://localhost:8000/back"]);
    const account = await sandbox.stripe.accounts.retrieve(id);
    expect(account.requirements?.currently_due).toEqual([]);
    expect(account).toMatchObject({ charges_enabled: true, payouts_enabled: true, details_submitted: true });
    expect(typesOf(id).slice(-3)).toEqual(["capability.updated", "capability.updated", "account.updated"]);
    const login = await sandbox.stripe.accounts.createLoginLink(id);
    expect((await sandbox.call("GET", pathOf(login.url))).text).toContain("Express dashboard");
    expect((await sandbox.call("GET", pathOf(login.url))).status).toBe(410);
  });

  it("may end with something still due: submitted, and not yet able to take money", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "standard" });
    const { url } = await link(id);
    const session = sessionOf((await sandbox.call("GET", pathOf(url))).text);
    const form = `session=${session}&act=complete_with_open_points&name=Jenny&email=j%40example.com&bank=yes`;
    await sandbox.call("POST", pathOf(url), form);
    const open = await sandbox.stripe.accounts.retrieve(id);
    expect(open).toMatchObject({ details_submitted: true, charges_enabled: false, type: "standard" });
    expect(open.requirements?.currently_due).toEqual(["individual.verification.document"]);
    expect("individual" in open).toBe(false);
  });

  it("of a custom account may leave a document open, which the API then closes", async () => {
    const { id } = await sandbox.stripe.accounts.create({
      type: "custom",
      capabilities: { card_payments: { requested: true } },
    });
    const { url } = await link(id);
    const session = sessionOf((await sandbox.call("GET", pathOf(url))).text);
    const form = `session=${session}&act=complete_with_open_points&name=Jenny&email=j%40example.com&bank=yes`;
    await sandbox.call("POST", pathOf(url), form);
    expect((await sandbox.stripe.accounts.retrieve(id)).capabilities).toEqual({ card_payments: "inactive" });
    const individual = { verification: { document: { front: "file_identity_document_success" } } };
    expect(await sandbox.stripe.accounts.update(id, { individual })).toMatchObject({
      charges_enabled: true,
      payouts_enabled: true,
      requirements: { currently_due: [], disabled_reason: null },
    });
  });

  it("may be left, with nothing told", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "express" });
    const { url } = await link(id);
    const session = sessionOf((await sandbox.call("GET", pathOf(url))).text);
    const left = await sandbox.call("POST", pathOf(url), `session=${session}&act=leave`);
    expect(left.headers.location).toBe("http://localhost:8000/back");
    expect(await sandbox.stripe.accounts.retrieve(id)).toMatchObject({ details_submitted: false });
    const stranger = await sandbox.call("POST", pathOf(url), "session=guessed&act=complete&name=A&email=a@b.co");
    expect(stranger.headers.location).toBe("http://localhost:8000/again");
  });

  it("that is too old leads to its refresh address", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "express" });
    const { url } = await link(id);
    const key = url.split("/").at(-1) ?? "";
    sandbox.world.run((tx) => tx.put("_account_link", { ...tx.get("_account_link", key), expires_at: tx.now }));
    expect((await sandbox.call("GET", pathOf(url))).headers.location).toBe("http://localhost:8000/again");
  });

  it("is refused without addresses, and for updates of accounts whose details Stripe collects", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "express" });
    await expect(sandbox.stripe.accountLinks.create({ account: id, type: "account_onboarding" })).rejects.toMatchObject(
      {
        code: "parameter_missing",
        param: "refresh_url",
      },
    );
    const addresses = { refresh_url: "http://localhost/a", return_url: "http://localhost/b" };
    await expect(
      sandbox.stripe.accountLinks.create({ account: id, type: "account_update", ...addresses }),
    ).rejects.toMatchObject({ param: "type" });
  });
});

describe("who may see an account", () => {
  it("a deleted standard account tells of the application, and is out of reach like one that never was", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "standard" });
    expect(await sandbox.stripe.accounts.del(id)).toMatchObject({ deleted: true });
    const last = eventsOf(id).at(-1);
    expect(last).toMatchObject({
      type: "account.application.deauthorized",
      data: { object: { object: "application" } },
    });
    for (const gone of [id, "acct_1NeverWasHere000"]) {
      await expect(sandbox.stripe.accounts.retrieve(gone)).rejects.toMatchObject({
        statusCode: 403,
        code: "account_invalid",
      });
    }
    await expect(sandbox.client({ account: id }).balance.retrieve()).rejects.toMatchObject({ statusCode: 403 });
  });

  it("the platform's own account is its own, not in its list, and an account sees itself", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "custom" });
    const own = await sandbox.stripe.accounts.retrieveCurrent();
    expect(own).toMatchObject({ charges_enabled: true, details_submitted: true });
    const listed = await sandbox.stripe.accounts.list({ limit: 100 });
    expect(listed.data.map((account) => account.id)).toContain(id);
    expect(listed.data.map((account) => account.id)).not.toContain(own.id);
    expect((await sandbox.client({ account: id }).accounts.retrieveCurrent()).id).toBe(id);
    await expect(sandbox.client({ account: id }).accounts.create({})).rejects.toThrow(/signed up for Connect/);
  });

  it("metadata merges key by key, and terms of service are not accepted for others", async () => {
    const { id } = await sandbox.stripe.accounts.create({ metadata: { a: "1", b: "2" } });
    const updated = await sandbox.stripe.accounts.update(id, { metadata: { a: "", c: "3" } });
    expect(updated.metadata).toEqual({ b: "2", c: "3" });
    expect(eventsOf(id).at(-1)?.data.previous_attributes).toEqual({ metadata: { a: "1", c: null } });
    await expect(
      sandbox.stripe.accounts.update(id, { tos_acceptance: { date: 1, ip: "127.0.0.1" } }),
    ).rejects.toMatchObject({ param: "tos_acceptance" });
    await expect(sandbox.stripe.accounts.update(id, { email: "nobody" })).rejects.toMatchObject({
      code: "email_invalid",
    });
  });

  it("a connected account sees no other one", async () => {
    const [one, other] = [await sandbox.stripe.accounts.create({}), await sandbox.stripe.accounts.create({})];
    const itself = sandbox.client({ account: one.id });
    expect((await itself.accounts.retrieve(one.id)).id).toBe(one.id);
    await expect(itself.accounts.retrieve(other.id)).rejects.toMatchObject({ code: "account_invalid" });
    expect((await itself.accounts.list()).data).toEqual([]);
  });

  it("client secrets are given for accounts, customers and apps", async () => {
    const { id } = await sandbox.stripe.accounts.create({ type: "express" });
    const session = await sandbox.stripe.accountSessions.create({
      account: id,
      components: { account_onboarding: { enabled: true } },
    });
    expect(session.components).toMatchObject({ account_onboarding: { enabled: true }, payments: { enabled: false } });
    expect(session.client_secret).toMatch(/^accs_secret_/);
    const customer = await sandbox.stripe.customers.create({});
    const shown = await sandbox.stripe.customerSessions.create({
      customer: customer.id,
      components: { payment_element: { enabled: true, features: { payment_method_save: "enabled" } } },
    });
    expect(shown.components).toMatchObject({
      payment_element: { enabled: true, features: { payment_method_save: "enabled" } },
      pricing_table: { enabled: false },
    });
    const key = await sandbox.stripe.ephemeralKeys.create(
      { customer: customer.id },
      { apiVersion: "2026-10-28.endive" },
    );
    expect(key.secret).toMatch(/^ek_test_/);
    expect((await sandbox.stripe.ephemeralKeys.del(key.id)).id).toBe(key.id);
  });
});

it("every event of all that carries an object as Stripe's types have it", () => {
  const wrong = sandbox
    .events()
    .flatMap(({ type, data }) => shapeProblems(data.object).map((problem) => `${type}: ${problem}`));
  expect(wrong).toEqual([]);
});
