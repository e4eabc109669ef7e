// HTML in which nothing is markup by accident: what is put into a template is escaped, unless it is Html itself.

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = Html | string | number | null | undefined | false | readonly Piece[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);
}

/** The tag of every template of these pages. Nothing, null and false leave no trace; arrays are joined. */
export function html(parts: TemplateStringsArray, ...pieces: Piece[]): Html {
  return new Html(parts.reduce((text, part, at) => text + written(pieces[at - 1]) + part));
}

function written(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return "";
  if (piece instanceof Html) return piece.text;
  return typeof piece === "object" ? piece.map(written).join("") : escaped(String(piece));
}

/** An address that a page may link or redirect to; what would run in the page (javascript:, data:) becomes undefined. */
export function safeAddress(address: string | null | undefined): string | undefined {
  if (address === null || address === undefined) return undefined;
  return /^\s*(javascript|data|vbscript|blob|file):/i.test(address) ? undefined : address;
}
