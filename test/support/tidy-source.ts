// What the tidy rules look at: files with their text, and what TypeScript's own parser finds in them. Pure.
import ts from "typescript";

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  path: string;
  text: string;
}

export interface Found<T> {
  line: number;
  value: T;
}

export interface FunctionSize {
  name: string;
  /** Lines with code: neither blank nor comment alone. */
  lines: number;
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>();

export function treeOf(file: SourceFile): ts.SourceFile {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  parsed.set(file, tree);
  return tree;
}

export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

export function lineOf(file: SourceFile, node: ts.Node): number {
  return treeOf(file).getLineAndCharacterOfPosition(node.getStart()).line + 1;
}

/** Everything that a file imports: static, dynamic, re-exported, by type, and by `new URL("./x.ts", import.meta.url)`. */
export function importsOf(file: SourceFile): Found<string>[] {
  const found: Found<string>[] = [];
  for (const node of nodesOf(treeOf(file))) {
    const target = importedBy(node);
    if (target !== undefined) found.push({ line: lineOf(file, node), value: target });
  }
  return found;
}

function importedBy(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier === undefined ? undefined : textOf(node.moduleSpecifier);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return textOf(node.arguments[0]);
  if (
    ts.isNewExpression(node) &&
    node.expression.getText() === "URL" &&
    node.arguments?.[1]?.getText() === "import.meta.url"
  ) {
    const target = textOf(node.arguments[0]);
    return target?.endsWith(".ts") === true ? target : undefined;
  }
  return undefined;
}

/** Every string of a file; a template's expressions become `${}`. */
export function stringsOf(file: SourceFile): Found<string>[] {
  const found: Found<string>[] = [];
  for (const node of nodesOf(treeOf(file))) {
    const value = textOf(node) ?? templateText(node);
    if (value !== undefined) found.push({ line: lineOf(file, node), value });
  }
  return found;
}

function templateText(node: ts.Node): string | undefined {
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `\${}${span.literal.text}`).join("");
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** Every function, method and arrow that has a body, with its size. An inner one counts for the outer one too. */
export function functionsOf(file: SourceFile): Found<FunctionSize>[] {
  const tree = treeOf(file);
  const code = codeLines(file);
  const found: Found<FunctionSize>[] = [];
  for (const node of nodesOf(tree)) {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) continue;
    const first = tree.getLineAndCharacterOfPosition(node.getStart()).line;
    const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
    let lines = 0;
    for (let line = first; line <= last; line++) if (code.has(line)) lines++;
    found.push({ line: first + 1, value: { name: nameOf(node), lines } });
  }
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText();
  return ts.isConstructorDeclaration(node) ? "constructor" : "a function";
}

/** The lines on which some token begins, ends or goes on; comments are no tokens. Counted from 0. */
function codeLines(file: SourceFile): Set<number> {
  const tree = treeOf(file);
  const lines = new Set<number>();
  for (const node of nodesOf(tree)) {
    for (const token of node.getChildren(tree)) {
      if (token.getChildCount(tree) > 0 || token.getText(tree) === "") continue;
      const first = tree.getLineAndCharacterOfPosition(token.getStart(tree)).line;
      const last = tree.getLineAndCharacterOfPosition(token.getEnd()).line;
      for (let line = first; line <= last; line++) lines.add(line);
    }
  }
  return lines;
}

/** The comment lines at the top of a file. */
export function headerOf(file: SourceFile): string {
  const lines = file.text.split("\n");
  const start = lines[0]?.startsWith("#!") === true ? 1 : 0;
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith("//"));
  return lines.slice(start, end === -1 ? undefined : end).join("\n");
}
