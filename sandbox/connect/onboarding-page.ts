// Pages that account links and login links lead to: onboarding, and the Express dashboard.
import type Stripe from "stripe";

import { PLATFORM_ACCOUNT, type Scope } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { type Html, html, safeAddress } from "../pages/html.ts";
import { choice, field, notFound, problem, show } from "../pages/layout.ts";
import type { Page, PageRequest, PageRoute } from "../pages/page.ts";
import { externalAccountsOf } from "./external-account.ts";
import { isOfVisit, type KeptLink, openLink } from "./hosted-link.ts";
import { ownOf, platformOf } from "./connection.ts";
import { submitDetails, type Told } from "./onboarding.ts";

const BUSINESS_TYPES = [
  ["individual", "Individual"],
  ["company", "Company"],
  ["non_profit", "Non-profit organisation"],
] as const;

const DOCUMENT = "individual.verification.document";

/** Links of both modes look alike: found by their secret part. */
function withLink(world: World, page: PageRequest, act: (tx: Transaction, link: KeptLink) => Page): Page {
  for (const livemode of [false, true]) {
    const scope: Scope = { livemode, account: PLATFORM_ACCOUNT };
    const found = world.run((tx) => {
      const link = tx.find("_account_link", page.ids[0] ?? "");
      return link === undefined ? undefined : act(tx, link);
    }, scope);
    if (found !== undefined) return found;
  }
  return notFound("link");
}

function sentAway(address: string): Page {
  const safe = safeAddress(address);
  if (safe !== undefined && safe !== "") return { redirect: safe };
  return show(
    "This link no longer works",
    html`<p>It was opened before, or it is too old. Ask for a new one.</p>`,
    410,
  );
}

function visitOnboarding(tx: Transaction, link: KeptLink): Page {
  const opened = link.type === "login" ? undefined : openLink(tx, link);
  return opened === undefined ? sentAway(link.refresh_url) : onboardingPage(tx, opened, {});
}

function answerOnboarding(tx: Transaction, link: KeptLink, form: PageRequest["form"]): Page {
  if (!isOfVisit(tx, link, form.session)) return sentAway(link.refresh_url);
  if (form.act === "leave") return sentAway(link.return_url);
  const name = (form.name ?? "").trim();
  const email = (form.email ?? "").trim();
  if (name === "") return onboardingPage(tx, link, form, "Give the name of the person or the business.");
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) return onboardingPage(tx, link, form, "Give a valid e-mail address.");
  submitDetails(tx, link.account, {
    businessType: businessType(form.business_type),
    name,
    email,
    bank: form.bank === "yes",
    stillDue: form.act === "complete_with_open_points" ? [DOCUMENT] : [],
  });
  return sentAway(link.return_url);
}

function businessType(given: string | undefined): Told["businessType"] {
  return BUSINESS_TYPES.map(([type]) => type).find((type) => type === given) ?? "individual";
}

function onboardingPage(tx: Transaction, link: KeptLink, form: PageRequest["form"], wrong?: string): Page {
  const account = platformOf(tx).find("account", link.account);
  if (account === undefined) return notFound("account");
  const due = account.requirements?.currently_due ?? [];
  const hasBank = externalAccountsOf(ownOf(tx, account.id), account.id).length > 0;
  const name = form.name ?? account.business_profile?.name ?? "";
  const body = html`
    <p>Account <code>${account.id}</code> (${account.type}, ${account.country}) is about to tell Stripe who it is.</p>
    ${openPoints(due)} ${problem(wrong)}
    <form method="post" action="/connect/onboarding/${link.id}">
      <input type="hidden" name="session" value="${link.session}" />
      ${choice("business_type", "Business type", BUSINESS_TYPES, form.business_type ?? account.business_type ?? "individual")}
      ${field({ name: "name", label: "Name of the person or the business", value: name === "" ? "Jenny Rosen" : name, required: true })}
      ${field({ name: "email", label: "E-mail", value: form.email ?? account.email ?? "jenny@example.com", type: "email", required: true })}
      ${!hasBank && bankChoice}
      <p>
        <button class="main" name="act" value="complete">Complete</button>
        <button name="act" value="complete_with_open_points">Complete with something still due</button>
        <button name="act" value="leave" formnovalidate>Leave and return</button>
      </p>
    </form>
    <p class="soft">
      The sandbox fills in the rest with Stripe's test values. “Something still due” leaves an identity document open:
      the account is submitted, but may not take money yet.
    </p>
  `;
  return show("Set up your account", body, wrong === undefined ? 200 : 400);
}

const bankChoice = choice(
  "bank",
  "Bank account for payouts",
  [
    ["yes", "Test bank account ending in 6789"],
    ["no", "None for now"],
  ],
  "yes",
);

function openPoints(due: readonly string[]): Html {
  if (due.length === 0) return html`<p>Nothing is due.</p>`;
  return html`<h2>Still due</h2>
    <ul>
      ${due.map((name) => html`<li><code>${name}</code></li>`)}
    </ul>`;
}

function visitDashboard(tx: Transaction, link: KeptLink): Page {
  const opened = link.type === "login" ? openLink(tx, link) : undefined;
  const account = opened && platformOf(tx).find("account", opened.account);
  return account === undefined ? sentAway("") : show("Express dashboard", dashboard(tx, account));
}

function dashboard(tx: Transaction, account: Stripe.Account): Html {
  const externals = externalAccountsOf(ownOf(tx, account.id), account.id);
  const rows: [string, string][] = [
    ["Account", account.id],
    ["E-mail", account.email ?? ""],
    ["Charges", account.charges_enabled ? "enabled" : "not enabled"],
    ["Payouts", account.payouts_enabled ? "enabled" : "not enabled"],
    ["Paid out to", externals.map(({ last4 }) => `•••• ${last4}`).join(", ")],
  ];
  return html`<table>
      <tbody>
        ${rows.map(
          ([name, value]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${value}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${openPoints(account.requirements?.currently_due ?? [])}`;
}

export const onboardingPages: PageRoute[] = [
  { pattern: "GET /connect/onboarding/*", answer: (world, page) => withLink(world, page, visitOnboarding) },
  {
    pattern: "POST /connect/onboarding/*",
    answer: (world, page) => withLink(world, page, (tx, link) => answerOnboarding(tx, link, page.form)),
  },
  { pattern: "GET /express/login/*", answer: (world, page) => withLink(world, page, visitDashboard) },
];
