// OAuth of the sandbox: consent page, codes, tokens, and the end of a connection, with Stripe's own errors.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { thinEventOf } from "../sandbox/delivery/event-body.ts";
import { openSandbox, type OpenSandbox, type RawAnswer, SANDBOX_KEY } from "./support/sandbox.ts";

const CLIENT = "ca_OfTheTests";
const BACK = "http://localhost:8000/connected";
const ASKED = `client_id=${CLIENT}&response_type=code&scope=read_write&redirect_uri=${encodeURIComponent(BACK)}&state=xyz`;

let sandbox: OpenSandbox;
/** OAuth's answers are no objects of the API: this client does not hold them against shapes. */
let plain: Stripe;
beforeAll(async () => {
  sandbox = await openSandbox();
  plain = sandbox.client({ apiVersion: "2026-10-28.endive" });
});
afterAll(() => sandbox.close());

async function consent(form: string, path = "/oauth/authorize"): Promise<URLSearchParams> {
  const answer = await sandbox.call("POST", path, `${ASKED}&${form}`);
  expect(answer.status).toBe(303);
  return new URL(String(answer.headers.location)).searchParams;
}

async function code(form = "act=allow&account=new"): Promise<string> {
  return (await consent(form)).get("code") ?? "";
}

const token = (code: string): Promise<Stripe.OAuthToken> =>
  plain.oauth.token({ grant_type: "authorization_code", code });
const askToken = (form: string, headers?: Record<string, string>): Promise<RawAnswer> =>
  sandbox.call("POST", "/oauth/token", form, headers);
const typesOf = (account: string): string[] =>
  sandbox.world.run((tx) => tx.all("event"), { livemode: false, account }).map(({ type }) => type);

describe("the consent page", () => {
  it("shows who asks, and gives the code back with scope and state", async () => {
    const page = await sandbox.call("GET", `/oauth/authorize?${ASKED}`);
    expect(page.status).toBe(200);
    expect(page.text).toContain("Stripe sandbox: no real money");
    expect(page.text).toContain(CLIENT);
    const told = await consent("act=allow&account=new&email=a%40example.com&name=Shop");
    expect(Object.fromEntries(told)).toEqual({
      scope: "read_write",
      state: "xyz",
      code: expect.stringMatching(/^ac_/) as string,
    });
  });

  it("says no with access_denied and the state", async () => {
    expect(Object.fromEntries(await consent("act=deny"))).toEqual({
      error: "access_denied",
      error_description: "The user denied your request",
      state: "xyz",
    });
  });

  it.each([
    ["invalid_client", "client_id=nobody&response_type=code"],
    ["invalid_redirect_uri", `client_id=${CLIENT}&response_type=code&redirect_uri=javascript:alert(1)`],
    ["unsupported_response_type", ASKED.replace("response_type=code", "response_type=token")],
    ["invalid_request", ASKED.replace("response_type=code&", "")],
    ["invalid_scope", ASKED.replace("read_write", "everything")],
  ])("answers %s with a page", async (error, query) => {
    const page = await sandbox.call("GET", `/oauth/authorize?${query}`);
    expect(page.status).toBe(400);
    expect(page.text).toContain(`<code>${error}</code>`);
  });

  it("escapes what it is given", async () => {
    const page = await sandbox.call("GET", `/oauth/authorize?${ASKED.replace("xyz", "%22%3E%3Cscript%3E")}`);
    expect(page.text).not.toContain("<script>");
  });
});

describe("a code", () => {
  it("is exchanged for tokens of a new, working account, which then is connected", async () => {
    const told = await token(await code());
    expect(told).toMatchObject({
      livemode: false,
      scope: "read_write",
      token_type: "bearer",
      access_token: expect.stringMatching(/^sk_test_/) as string,
      refresh_token: expect.stringMatching(/^rt_/) as string,
      stripe_publishable_key: expect.stringMatching(/^pk_test_/) as string,
    });
    const id = told.stripe_user_id ?? "";
    expect(typesOf(id)).toEqual(["account.application.authorized"]);
    expect(await sandbox.stripe.accounts.retrieve(id)).toMatchObject({
      charges_enabled: true,
      controller: { type: "account" },
    });
    const own = sandbox.client({ key: told.access_token ?? "" });
    expect((await own.accounts.retrieveCurrent()).id).toBe(id);
  });

  it("works once: the second time its tokens end", async () => {
    const given = await code();
    const told = await token(given);
    const again = await askToken(`grant_type=authorization_code&code=${given}`);
    expect([again.status, again.json.error]).toEqual([400, "invalid_grant"]);
    const refresh = await askToken(`grant_type=refresh_token&refresh_token=${told.refresh_token ?? ""}`);
    expect(refresh.json.error).toBe("invalid_grant");
  });

  it("is refused after five minutes", async () => {
    const given = await code();
    sandbox.world.run((tx) => {
      const kept = tx.get("_authorization_code", given);
      tx.put("_authorization_code", { ...kept, created: kept.created - 301 });
    });
    const late = await askToken(`grant_type=authorization_code&code=${given}`);
    expect(late.json).toMatchObject({
      error: "invalid_grant",
      error_description: expect.stringMatching(/expired/) as string,
    });
  });

  it("of an account that exists connects that account, also after it has left", async () => {
    const { stripe_user_id: id = "" } = await token(await code());
    expect(await plain.oauth.deauthorize({ client_id: CLIENT, stripe_user_id: id })).toEqual(
      expect.objectContaining({ stripe_user_id: id }),
    );
    await expect(sandbox.stripe.accounts.retrieve(id)).rejects.toMatchObject({ statusCode: 403 });
    const back = await token(await code(`act=allow&account=${id}`));
    expect(back.stripe_user_id).toBe(id);
    expect(typesOf(id).filter((type) => type.startsWith("account.application."))).toEqual([
      "account.application.authorized",
      "account.application.deauthorized",
      "account.application.authorized",
    ]);
    const thin = sandbox.world.run((tx) => tx.all("event").map((event) => thinEventOf(tx, event)), {
      ...{ livemode: false, account: id },
    });
    const left = thin.find((event) => "type" in event && event.type === "v1.account.application.deauthorized");
    expect(left).toMatchObject({ context: id });
    expect(left).not.toHaveProperty("related_object");
  });

  it("follows the mode of the key that redeems it", async () => {
    const form = `grant_type=authorization_code&code=${await code()}&client_secret=sk_live_of_the_tests_1`;
    const told = await askToken(form, { authorization: "" });
    expect(told.json).toMatchObject({ livemode: true, access_token: expect.stringMatching(/^sk_live_/) as string });
  });

  it("may be for an express account", async () => {
    const told = await consent("act=allow&account=new_bare", "/express/oauth/authorize");
    const { stripe_user_id: id = "" } = await token(told.get("code") ?? "");
    expect(await sandbox.stripe.accounts.retrieve(id)).toMatchObject({ type: "express", details_submitted: false });
  });
});

describe("a wrong call", () => {
  it.each([
    ["no key", 401, "invalid_client", "grant_type=authorization_code&code=ac_1", { authorization: "" }],
    ["a wrong key", 401, "invalid_client", "code=ac_1", { authorization: "Bearer nonsense" }],
    ["no grant type", 400, "invalid_request", "code=ac_1", {}],
    ["another grant type", 400, "unsupported_grant_type", "grant_type=password", {}],
    ["an unknown code", 400, "invalid_grant", "grant_type=authorization_code&code=ac_1", {}],
    ["an unknown refresh token", 400, "invalid_grant", "grant_type=refresh_token&refresh_token=rt_1", {}],
  ])("with %s gives %i %s", async (_, status, error, form, headers) => {
    const answer = await askToken(form, headers);
    expect([answer.status, answer.json.error]).toEqual([status, error]);
    expect(answer.json.error_description).toBeTypeOf("string");
  });

  it("that ends no connection says that there is none", async () => {
    const form = `client_id=${CLIENT}&stripe_user_id=acct_1Nobody`;
    const answer = await sandbox.call("POST", "/oauth/deauthorize", form, { authorization: `Bearer ${SANDBOX_KEY}` });
    expect([answer.status, answer.json.error]).toEqual([401, "invalid_client"]);
  });
});

it("a refresh token gives a new access token of no wider scope", async () => {
  const told = await token(await code());
  const again = await plain.oauth.token({
    grant_type: "refresh_token",
    refresh_token: told.refresh_token ?? "",
    scope: "read_only",
  });
  expect(again).toMatchObject({ scope: "read_only", stripe_user_id: told.stripe_user_id });
  expect(again.access_token).not.toBe(told.access_token);
});
