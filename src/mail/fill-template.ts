// A template's slots filled: {{name}} is the field, {{#name}}…{{/name}} stays when the field is there, {{^name}}…{{/name}}
// when it is not. Pure.

/** As src/mail/mail-templates.json holds it. */
export interface StoredTemplate {
  subject: string;
  text: string;
  html: string;
}

type Piece = string | { slot: string } | { section: string; inverted: boolean; pieces: Piece[] };

const TAG = /\{\{([#^/]?)(\w+)\}\}/g;

/** Throws when a section is not closed, or closed where it was not opened. */
export function parseTemplate(source: string): Piece[] {
  const root: Piece[] = [];
  const open: { name: string; pieces: Piece[] }[] = [{ name: "", pieces: root }];
  let end = 0;
  for (const { 0: tag, 1: mark, 2: name = "", index } of source.matchAll(TAG)) {
    const pieces = open.at(-1)?.pieces ?? root;
    if (index > end) pieces.push(source.slice(end, index));
    end = index + tag.length;
    if (mark === "") pieces.push({ slot: name });
    else if (mark === "/") {
      if (open.pop()?.name !== name || open.length === 0)
        throw new Error(`the section ${name} ends where it is not open`);
    } else {
      const inner: Piece[] = [];
      pieces.push({ section: name, inverted: mark === "^", pieces: inner });
      open.push({ name, pieces: inner });
    }
  }
  if (open.length > 1) throw new Error(`the section ${open.at(-1)?.name ?? ""} has no end`);
  root.push(source.slice(end));
  return root;
}

/** Each value goes through `escape` once and is never read for slots: a name that says {{link}} stays that name. */
export function fill(
  pieces: readonly Piece[],
  values: ReadonlyMap<string, string>,
  escape: (text: string) => string,
): string {
  return pieces
    .map((piece) => {
      if (typeof piece === "string") return piece;
      if ("slot" in piece) return escape(values.get(piece.slot) ?? "");
      return values.has(piece.section) === piece.inverted ? "" : fill(piece.pieces, values, escape);
    })
    .join("");
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
