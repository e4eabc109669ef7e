// The page on which an account lets the platform in, or not: /oauth/authorize and /express/oauth/authorize.
import type Stripe from "stripe";

import { PLATFORM_TEST, type World } from "../core/world.ts";
import type { Transaction } from "../core/transaction.ts";
import { type Html, html } from "../pages/html.ts";
import { field, problem, show } from "../pages/layout.ts";
import type { Page, PageRequest, PageRoute } from "../pages/page.ts";
import { createAccount } from "./account.ts";
import { APPLICATION } from "./connection.ts";
import { issueCode } from "./oauth.ts";
import { submitDetails } from "./onboarding.ts";

/** What the address asks for, once it is in order. */
interface Asked {
  client_id: string;
  redirect_uri: string;
  scope: "read_write" | "read_only";
  state: string | undefined;
  type: "standard" | "express";
  path: string;
}

type Wrong = readonly [error: string, description: string];

/** Stripe's codes of the OAuth reference. Nothing is redirected while the address itself is wrong. */
function read(query: Record<string, string>, type: Asked["type"]): Asked | Wrong {
  const { client_id, response_type, scope = "read_write", redirect_uri, state } = query;
  if (client_id === undefined || !/^ca_\w+$/.test(client_id)) {
    return [
      "invalid_client",
      `No application matches the supplied client identifier${client_id === undefined ? "" : `: ${client_id}`}`,
    ];
  }
  if (redirect_uri === undefined || !URL.canParse(redirect_uri) || !/^https?:/i.test(redirect_uri)) {
    const named = redirect_uri === undefined ? "" : ` '${redirect_uri}'`;
    return [
      "invalid_redirect_uri",
      `Invalid redirect URI${named}. Ensure this uri exactly matches one of the uris specified in your application settings`,
    ];
  }
  if (response_type === undefined || response_type === "") return ["invalid_request", "No response type specified"];
  if (response_type !== "code") return ["unsupported_response_type", `Unsupported response type: ${response_type}`];
  if (scope !== "read_write" && scope !== "read_only") return ["invalid_scope", `Invalid scope: ${scope}`];
  const path = type === "express" ? "/express/oauth/authorize" : "/oauth/authorize";
  return { client_id, redirect_uri, scope, state, type, path };
}

const isWrong = (asked: Asked | Wrong): asked is Wrong => Array.isArray(asked);

function errorPage([error, description]: Wrong): Page {
  const body = html`<p class="error" role="alert">${description}</p>
    <dl>
      <dt>error</dt>
      <dd><code>${error}</code></dd>
      <dt>error_description</dt>
      <dd>${description}</dd>
    </dl>`;
  return show("This connection cannot be made", body, 400);
}

/** The platform's address with what it is told; a query that it has already stays. */
function redirect({ redirect_uri, state }: Asked, told: Record<string, string>): Page {
  const address = new URL(redirect_uri);
  for (const [name, value] of Object.entries(told)) address.searchParams.set(name, value);
  if (state !== undefined) address.searchParams.set("state", state);
  return { redirect: address.href };
}

/** Accounts that may sign in here: of the kind that is asked for. */
function accountsToChoose(tx: Transaction, { type }: Asked): Stripe.Account[] {
  return tx.where("account", (account) => account.type === type && account.id !== tx.scope.account);
}

function consentPage(tx: Transaction, asked: Asked, prefilled: Record<string, string>, wrong?: string): Page {
  const { client_id, redirect_uri, scope, state, path } = asked;
  const carried = { client_id, redirect_uri, scope, response_type: "code", ...(state === undefined ? {} : { state }) };
  const email = prefilled.email ?? "";
  const body = html`
    <p>
      <strong>${APPLICATION.name}</strong> (<code>${client_id}</code>) asks for
      ${scope === "read_write" ? "full access to" : "a look at"} your Stripe account. You will be sent back to
      <code>${new URL(redirect_uri).origin}</code>.
    </p>
    ${problem(wrong)}
    <form method="post" action="${path}">
      ${Object.entries(carried).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      <fieldset>
        <legend>Which account?</legend>
        ${accountChoices(accountsToChoose(tx, asked), prefilled.account)}
        ${field({ name: "email", label: "E-mail of the new account", value: email === "" ? "jenny@example.com" : email, type: "email" })}
        ${field({ name: "name", label: "Name of the new business", value: prefilled.name ?? "Jenny's shop" })}
      </fieldset>
      <p>
        <button class="main" name="act" value="allow">Connect my account</button>
        <button name="act" value="deny" formnovalidate>Cancel</button>
      </p>
    </form>
  `;
  return show("Connect your account", body, wrong === undefined ? 200 : 400);
}

function accountChoices(accounts: readonly Stripe.Account[], chosen = "new"): Html {
  const choices = [
    ["new", "A new account, ready to take money"],
    ["new_bare", "A new account that has not told its details yet"],
    ...accounts.map(({ id, email, business_profile }) => [
      id,
      `${business_profile?.name ?? email ?? "Account"} (${id})`,
    ]),
  ] as [string, string][];
  return html`${choices.map(
    ([value, words]) =>
      html`<label class="choice">
        <input type="radio" name="account" value="${value}" ${value === chosen && html`checked`} />
        <span>${words}</span>
      </label>`,
  )}`;
}

/** The account that was chosen, made now when it is a new one. */
function chosenAccount(tx: Transaction, asked: Asked, form: Record<string, string>): string | undefined {
  const { account: chosen = "new", email = "", name = "" } = form;
  if (chosen !== "new" && chosen !== "new_bare") {
    return accountsToChoose(tx, asked).find(({ id }) => id === chosen)?.id;
  }
  const given = { type: asked.type, ...(email === "" ? {} : { email }), business_profile: { name } };
  const { id } = createAccount(tx, given, { connected: false });
  const account = tx.get("account", id);
  // A standard account stays its own master: the platform that it lets in does not control it.
  if (asked.type === "standard") tx.put("account", { ...account, controller: { type: "account" } });
  if (chosen === "new") {
    const told = { name: name === "" ? "Jenny's shop" : name, email: email === "" ? "jenny@example.com" : email };
    submitDetails(tx, id, { ...told, businessType: "individual", bank: true, stillDue: [] });
  }
  return id;
}

function answerConsent(tx: Transaction, asked: Asked, form: Record<string, string>): Page {
  if (form.act !== "allow") {
    return redirect(asked, { error: "access_denied", error_description: "The user denied your request" });
  }
  const account = chosenAccount(tx, asked, form);
  if (account === undefined) return consentPage(tx, asked, form, "Choose an account.");
  const { client_id, scope, redirect_uri } = asked;
  return redirect(asked, { scope, code: issueCode(tx, { account, client_id, scope, redirect_uri }) });
}

function pagesOf(path: string, type: Asked["type"]): PageRoute[] {
  const visit = (world: World, { query }: PageRequest): Page => {
    const asked = read(query, type);
    return isWrong(asked) ? errorPage(asked) : world.run((tx) => consentPage(tx, asked, query), PLATFORM_TEST);
  };
  const answer = (world: World, { form }: PageRequest): Page => {
    const asked = read(form, type);
    return isWrong(asked) ? errorPage(asked) : world.run((tx) => answerConsent(tx, asked, form), PLATFORM_TEST);
  };
  return [
    { pattern: `GET ${path}`, answer: visit },
    { pattern: `POST ${path}`, answer },
  ];
}

export const consentPages: PageRoute[] = [
  ...pagesOf("/oauth/authorize", "standard"),
  ...pagesOf("/express/oauth/authorize", "express"),
];
