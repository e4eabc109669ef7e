// The sandbox's front page: what this is, what waits for a buyer, and what happened last.
import type Stripe from "stripe";

import type { World } from "../core/world.ts";
import { html, type Html } from "./html.ts";
import { show } from "./layout.ts";
import { money } from "./money.ts";
import type { Page, PageRoute } from "./page.ts";

const SHOWN = 12;

export const homePages: PageRoute[] = [{ pattern: "GET /", answer: (world) => home(world) }];

function home(world: World): Page {
  const scopes = world.scopes().map((key) => world.state(key));
  const sessions = scopes.flatMap((state) => state.all("checkout.session")).filter(({ status }) => status === "open");
  const events = scopes
    .flatMap((state) => state.all("event"))
    .toSorted((one, other) => other.created - one.created)
    .slice(0, SHOWN);
  return show(
    "A local Stripe",
    html`<p>
        This is the API, for programs: every key of the form <code>sk_test_…</code> with 16 characters or more is the
        platform's account. <code>docs/sandbox.md</code> says what it does.
      </p>
      <pre>stripe trigger invoice.paid --api-base ${world.origin} --api-key sk_test_1234567890abcdef</pre>
      <h2>Checkout sessions that wait for a buyer</h2>
      ${sessions.length === 0 && html`<p class="soft">None.</p>`}
      <ul>
        ${sessions.slice(-SHOWN).reverse().map(sessionLine)}
      </ul>
      <h2>Last events</h2>
      ${eventTable(events)}`,
  );
}

function sessionLine(session: Stripe.Checkout.Session): Html {
  const { amount_total, currency, mode, id, url } = session;
  const amount = amount_total === null || currency === null ? "" : `, ${money(amount_total, currency)}`;
  return html`<li><a href="${url ?? `/c/pay/${id}`}">${mode}${amount}</a> <code>${id}</code></li>`;
}

function eventTable(events: readonly Stripe.Event[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Type</th>
        <th scope="col">Object</th>
        <th scope="col">Created (UTC)</th>
      </tr>
    </thead>
    <tbody>
      ${events.map(
        (event) =>
          html`<tr>
            <td>${event.type}</td>
            <td><code>${(event.data.object as { id?: string }).id ?? "none"}</code></td>
            <td>${new Date(event.created * 1000).toISOString().slice(0, 19).replace("T", " ")}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
