// The frame of every page: banner, title, the one style sheet, and the parts that forms share.
import { Html, html, type Piece } from "./html.ts";
import type { Page } from "./page.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1f36; --soft: #4a5170; --paper: #ffffff; --line: #c3c8d8; --accent: #3d3fc4; --bad: #a3123a; --good: #0b6b3a; --banner: #ffe9a8; --banner-ink: #4a3500; }
@media (prefers-color-scheme: dark) { :root { --ink: #eef0f8; --soft: #b4bad0; --paper: #171a26; --line: #454c66; --accent: #aab0ff; --bad: #ff9db3; --good: #7fe0ae; --banner: #4a3c0c; --banner-ink: #ffefc2; } }
* { box-sizing: border-box; }
body { margin: 0; font: .9375rem/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
.banner { margin: 0; padding: .35rem 1rem; background: var(--banner); color: var(--banner-ink); text-align: center; font-weight: 600; }
main { max-width: 42rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .75rem; } h2 { font-size: 1.05rem; margin: 1.25rem 0 .5rem; } h3 { font-size: 1rem; margin: .75rem 0 .25rem; }
p { margin: .4rem 0; } .soft, .optional { color: var(--soft); font-weight: 400; } caption { text-align: left; padding-bottom: .2rem; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0; } th, td { text-align: left; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } .amount { text-align: right; white-space: nowrap; padding-right: 0; } td input { max-width: 5rem; }
label { display: block; font-weight: 600; margin: .5rem 0 .15rem; } label.choice { display: flex; gap: .5rem; align-items: baseline; font-weight: 400; } label.choice input { width: auto; }
input, select { font: inherit; color: inherit; background: transparent; width: 100%; padding: .35rem .55rem; border: 1px solid var(--line); border-radius: .375rem; } select option { color: #1a1f36; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; padding: .25rem .85rem .75rem; margin: .75rem 0; } legend { font-weight: 600; padding: 0 .4rem; }
button, .button { font: inherit; font-weight: 600; display: inline-block; padding: .4rem .85rem; margin: .35rem .35rem .35rem 0; border-radius: .375rem; border: 1px solid var(--line); background: transparent; color: var(--ink); cursor: pointer; text-decoration: none; }
button.main { background: #3d3fc4; border-color: #3d3fc4; color: #ffffff; }
a { color: var(--accent); } :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.error { border-left: .3rem solid var(--bad); color: var(--bad); padding: .5rem .75rem; font-weight: 600; } .done { border-left: .3rem solid var(--good); color: var(--good); padding: .5rem .75rem; font-weight: 600; }
.cards { list-style: none; padding: 0; margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 0 .5rem; } .cards button { width: 100%; text-align: left; font-weight: 400; padding: .3rem .6rem; margin: .15rem 0; } .cards code { white-space: nowrap; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .85rem; align-items: end; } section { border-top: 1px solid var(--line); margin-top: 1rem; } form.inline { display: inline; } form.inline button { padding: .15rem .6rem; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
`;

/** A whole page. `body` comes after the page's heading, which is its title too. */
export function layout(title: string, body: Piece): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · Stripe sandbox</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <p class="banner" role="note">Stripe sandbox: no real money</p>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;
  return page.text;
}

export function show(title: string, body: Piece, status = 200): Page {
  return { status, html: layout(title, body) };
}

/** The page for an address that names nothing. */
export function notFound(what: string): Page {
  return show(
    "Not found",
    html`<p>There is no such ${what} in this sandbox. A sandbox in memory forgets when it is restarted.</p>`,
    404,
  );
}

/** Read out by screen readers as soon as the page stands. Always in the page, so that it is announced when it fills. */
export function problem(text: string | undefined): Html {
  return html`<div role="alert" aria-live="assertive" id="problem">
    ${text !== undefined && html`<p class="error">${text}</p>`}
  </div>`;
}

export function notice(text: string | undefined): Html {
  return html`<div role="status" aria-live="polite">${text !== undefined && html`<p class="done">${text}</p>`}</div>`;
}

export interface Field {
  name: string;
  label: string;
  value?: string | null | undefined;
  type?: string;
  required?: boolean;
  autocomplete?: string;
  inputmode?: string;
  maxlength?: number;
}

/** A labelled input. The label is tied to it by id. */
export function field({
  name,
  label,
  value,
  type = "text",
  required = false,
  autocomplete,
  inputmode,
  maxlength,
}: Field): Html {
  const id = `field-${name.replaceAll(/[^A-Za-z0-9_-]/g, "-")}`;
  return html`<label for="${id}">${label}${!required && html`<span class="optional"> (optional)</span>`}</label>
    <input
      id="${id}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${autocomplete ?? "off"}"
      ${required && html`required`}
      ${inputmode !== undefined && html`inputmode="${inputmode}"`}
      ${maxlength !== undefined && html`maxlength="${maxlength}"`}
    />`;
}

/** A select with one option chosen. `options`: value and words. */
export function choice(
  name: string,
  label: string,
  options: readonly (readonly [string, string])[],
  chosen?: string,
): Html {
  const id = `field-${name.replaceAll(/[^A-Za-z0-9_-]/g, "-")}`;
  return html`<label for="${id}">${label}</label>
    <select id="${id}" name="${name}">
      ${options.map(([value, words]) => html`<option value="${value}" ${value === chosen && html`selected`}>${words}</option>`)}
    </select>`;
}
