// A mail's HTML as its reader sees it: in a frame that runs no script, sends no form and loads nothing.
import { type ReactNode, type SyntheticEvent, useMemo, useState } from "react";

/** Until the frame has said how high it is. */
const HEIGHT = 480;
const TALLEST = 2000;

const STYLES = "data-mail-style";
/** Only what a mail is made of: no scripts, frames, forms, pictures or files of others. */
const ALLOWED = new Set(
  "a b blockquote body br code div em h1 h2 h3 hr html i li ol p pre s small span strong table tbody td tfoot th thead tr u ul".split(
    " ",
  ),
);
const KEPT = new Set(
  `align border cellpadding cellspacing class colspan dir lang role rowspan valign width ${STYLES}`.split(" "),
);

/**
 * The page's policy allows no style attributes, and a frame of srcdoc is under it too: styles wait in another attribute and are
 * set by the page, which the policy allows.
 */
export function MailFrame({ html, title }: { html: string; title: string }): ReactNode {
  const [height, setHeight] = useState(HEIGHT);
  const safe = useMemo(() => cleaned(html), [html]);
  const loaded = ({ currentTarget }: SyntheticEvent<HTMLIFrameElement>): void => {
    const { contentDocument: mail } = currentTarget;
    if (mail === null) return;
    for (const element of mail.querySelectorAll<HTMLElement>(`[${STYLES}]`))
      element.style.cssText = element.getAttribute(STYLES) ?? "";
    setHeight(Math.min(TALLEST, mail.documentElement.scrollHeight));
  };
  return (
    <iframe
      className="bh-mail-frame"
      title={`The mail: ${title}`}
      // Without allow-scripts nothing in it runs; its origin lets the page set the styles. Links open beside.
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
      srcDoc={safe}
      style={{ height }}
      onLoad={loaded}
    />
  );
}

/** Built from what is allowed, not by taking away what is not. */
function cleaned(html: string): string {
  // Gone before it is parsed: what the policy blocks is told to the console even of a document that nobody sees.
  const inert = html.replace(/<style\b[^>]*>[^]*?<\/style>/gi, "").replace(/ style="/g, ` ${STYLES}="`);
  const parsed = new DOMParser().parseFromString(inert, "text/html");
  const page = document.implementation.createHTMLDocument("");
  copyInto(page.body, parsed.body);
  const { body } = parsed;
  for (const name of KEPT) if (body.hasAttribute(name)) page.body.setAttribute(name, body.getAttribute(name) ?? "");
  return `<!doctype html><html lang="en"><head><title>Mail</title></head>${page.body.outerHTML}</html>`;
}

function copyInto(to: Element, from: Element): void {
  for (const node of from.childNodes) {
    if (node instanceof Text) to.append(node.data);
    if (!(node instanceof Element)) continue;
    const name = node.localName;
    if (!ALLOWED.has(name)) continue;
    const copy = to.ownerDocument.createElement(name);
    for (const { name: attribute, value } of node.attributes)
      if (KEPT.has(attribute)) copy.setAttribute(attribute, value);
    if (name === "a" && /^https?:\/\//.test(node.getAttribute("href") ?? "")) {
      copy.setAttribute("href", node.getAttribute("href") ?? "");
      copy.setAttribute("target", "_blank");
      copy.setAttribute("rel", "noreferrer noopener");
    }
    to.append(copy);
    copyInto(copy, node);
  }
}
