// How every mail looks: one message as plain text and as HTML that mail clients show alike, light and dark. Pure.

/** A message before it is written. Everything in it is plain text; escaping is done here. */
export interface Message {
  subject: string;
  /** What an inbox shows beside the subject. */
  preview: string;
  heading: string;
  paragraphs: readonly string[];
  button: { label: string; link: string };
  /** Small print under the button. */
  notes: readonly string[];
  product: string | undefined;
}

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

const LONGEST_SUBJECT = 200;

export function renderMessage(message: Message): RenderedMail {
  return { subject: oneLine(message.subject).slice(0, LONGEST_SUBJECT), text: asText(message), html: asHtml(message) };
}

/** Names come from people: a line break or control character in one must not end a header or forge a paragraph. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
}

function asText({ heading, paragraphs, button, notes, product }: Message): string {
  const blocks = [
    ...[heading, ...paragraphs].map(oneLine),
    `${oneLine(button.label)}:\n${addressOf(button.link)}`,
    ...notes.map(oneLine),
    ...(product === undefined ? [] : [`-- \n${oneLine(product)}`]),
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** As the URL parser writes it: percent-encoded, without spaces or line breaks. */
function addressOf(link: string): string {
  return new URL(link).href;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML, also inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

// Clients that read no <style> show the inline colours, which are the light ones; those that turn colours round do so evenly.
const STYLE = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background-color: #16181d !important; }
  .card { background-color: #22252c !important; border-color: #343842 !important; }
  .strong { color: #f2f4f8 !important; }
  .body { color: #d3d7df !important; }
  .note { color: #a2a8b4 !important; }
}
@media (max-width: 600px) { .card { padding: 24px !important; } }`;

function asHtml({ subject, preview, heading, paragraphs, button, notes, product }: Message): string {
  const text = (content: string): string => escapeHtml(oneLine(content));
  const link = escapeHtml(addressOf(button.link));
  const body = paragraphs.map((paragraph) => `<p class="body" style="${BODY}">${text(paragraph)}</p>`).join("\n");
  const small = notes.map((note) => `<p class="note" style="${NOTE}">${text(note)}</p>`).join("\n");
  const sender =
    product === undefined
      ? ""
      : `<p class="note" style="${NOTE}margin:24px 0 0;text-align:center;">${text(product)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${text(subject)}</title>
<style>${STYLE}
</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#f3f4f7;">
<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;">${text(preview)}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background-color:#f3f4f7;">
<tr><td align="center" style="padding:32px 12px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;">
<tr><td class="card" style="background-color:#ffffff;border:1px solid #e2e5eb;border-radius:10px;padding:36px;">
<h1 class="strong" style="margin:0 0 16px;font:600 22px/30px ${FONT};color:#14171f;">${text(heading)}</h1>
${body}
<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:26px 0;">
<tr><td bgcolor="#2f54d6" style="background-color:#2f54d6;border-radius:7px;">
<a href="${link}" style="display:inline-block;padding:13px 24px;font:600 16px/20px ${FONT};color:#ffffff;text-decoration:none;">${text(button.label)}</a>
</td></tr>
</table>
<p class="note" style="${NOTE}">If the button does nothing, open this address in a browser:<br><a href="${link}" class="note" style="color:#5a6170;word-break:break-all;">${link}</a></p>
${small}
</td></tr>
</table>
${sender}
</td></tr>
</table>
</body>
</html>
`;
}

const BODY = `margin:0 0 14px;font:400 16px/25px ${FONT};color:#333945;`;
const NOTE = `margin:0 0 10px;font:400 13px/20px ${FONT};color:#5a6170;`;
