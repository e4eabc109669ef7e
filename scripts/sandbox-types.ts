// Reads the declarations of the stripe package: from a TypeScript type to a small JSON node with shared definitions.
import { readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

import ts from "typescript";

export type Literal = string | number | boolean;

/** One type. `#Name` points to a definition. */
export type TypeNode =
  | string
  | { enum: Literal[]; open?: true }
  | { array: TypeNode }
  | { list: TypeNode }
  | { map: TypeNode }
  | { or: TypeNode[] }
  | { nullable: TypeNode }
  | { emptyable: TypeNode };

export type Definition =
  { fields: Record<string, TypeNode>; required?: string[]; optional?: string[] } | { enum: Literal[]; open?: true };

/** Parameters are mostly optional, fields of objects mostly there: each table lists the exceptions. */
export type TableKind = "parameters" | "shapes";

export interface Declarations {
  checker: ts.TypeChecker;
  files: ts.SourceFile[];
  root: string;
}

/** The declarations below `esm/resources`, the newer /v2 API left out. */
export function stripeDeclarations(esm: string): Declarations {
  const root = join(esm, "resources");
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".d.ts") && !path.startsWith("V2"))
    .sort()
    .map((path) => join(root, path));
  const program = ts.createProgram(paths, {
    target: ts.ScriptTarget.ES2024,
    lib: ["lib.es2024.d.ts"],
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: true,
    strict: true,
  });
  const wanted = new Set(paths.map((path) => path.split(sep).join("/")));
  return {
    checker: program.getTypeChecker(),
    files: program.getSourceFiles().filter(({ fileName }) => wanted.has(fileName)),
    root,
  };
}

/** An enum of this length or more is a definition of its own: the long ones repeat. */
const SHARED_ENUM = 6;
const COMMON = new Map([
  [JSON.stringify({ fields: {} }), "Nothing"],
  [JSON.stringify({ fields: { expand: { array: "string" } } }), "Expand"],
]);
const EVENT_PARTS = new Set(["Event.Data.Object", "Event.Data.PreviousAttributes"]);

/** Turns type nodes into table nodes, and collects the definitions they point to. */
export class TableWriter {
  readonly definitions = new Map<string, Definition>();
  /** What an object's `object` field says → the definition's name; deleted objects apart. */
  readonly objects = new Map<string, string>();
  readonly deleted = new Map<string, string>();
  readonly #byText = new Map<string, string>();
  readonly #done = new Map<ts.Node, string>();
  readonly #open = new Set<ts.Node>();
  readonly #from: Declarations;
  readonly #kind: TableKind;

  constructor(from: Declarations, kind: TableKind) {
    this.#from = from;
    this.#kind = kind;
  }

  node(type: ts.TypeNode): TypeNode {
    if (ts.isUnionTypeNode(type)) return this.#union(type.types.flatMap((part) => this.#parts(part)));
    return this.#union(this.#parts(type));
  }

  /** The members of a union, aliases of unions opened. */
  #parts(type: ts.TypeNode): TypeNode[] {
    if (ts.isUnionTypeNode(type)) return type.types.flatMap((part) => this.#parts(part));
    if (ts.isParenthesizedTypeNode(type)) return this.#parts(type.type);
    if (ts.isTypeReferenceNode(type)) return this.#reference(type);
    return [this.#plain(type)];
  }

  #plain(type: ts.TypeNode): TypeNode {
    if (type.kind === ts.SyntaxKind.StringKeyword) return "string";
    if (type.kind === ts.SyntaxKind.NumberKeyword) return "number";
    if (type.kind === ts.SyntaxKind.BooleanKeyword) return "boolean";
    if (type.kind === ts.SyntaxKind.AnyKeyword || type.kind === ts.SyntaxKind.UnknownKeyword) return "any";
    if (ts.isArrayTypeNode(type)) return { array: this.node(type.elementType) };
    if (ts.isLiteralTypeNode(type)) return literal(type.literal);
    if (ts.isTypeLiteralNode(type)) return this.#members(type, type.members, "");
    throw new Error(`a type that the generator does not know: ${type.getText()}`);
  }

  #reference(type: ts.TypeReferenceNode): TypeNode[] {
    const name = type.typeName.getText();
    const first = type.typeArguments?.[0];
    if (first !== undefined) {
      if (name === "Array") return [{ array: this.node(first) }];
      if (name === "ApiList") return [{ list: this.node(first) }];
      if (name === "Partial") return [this.node(first)];
      if (name === "Emptyable") return [{ emptyable: this.node(first) }];
      throw new Error(`a generic type that the generator does not know: ${type.getText()}`);
    }
    if (name === "OtherString") return ["open"];
    if (name === "Decimal") return ["decimal"];
    const declaration = this.#declaration(type.typeName);
    if (ts.isTypeAliasDeclaration(declaration)) {
      return this.#nameOf(declaration) === "Event" ? [this.#event(declaration)] : this.#parts(declaration.type);
    }
    return [this.#interface(declaration)];
  }

  /** `Event` is a union of every event's own type: their common base is the shape. */
  #event(alias: ts.TypeAliasDeclaration): TypeNode {
    const base = alias
      .getSourceFile()
      .statements.find((part) => ts.isInterfaceDeclaration(part) && part.name.text === "EventBase");
    if (base === undefined || !ts.isInterfaceDeclaration(base)) throw new Error("EventBase is gone");
    return this.#interface(base);
  }

  #declaration(name: ts.EntityName): ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
    const { checker } = this.#from;
    let symbol = checker.getSymbolAtLocation(name);
    if (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = checker.getAliasedSymbol(symbol);
    const found = symbol?.declarations?.find(
      (part) => ts.isInterfaceDeclaration(part) || ts.isTypeAliasDeclaration(part),
    );
    if (found === undefined || !(ts.isInterfaceDeclaration(found) || ts.isTypeAliasDeclaration(found))) {
      throw new Error(`no declaration of ${name.getText()} in ${name.getSourceFile().fileName}`);
    }
    return found;
  }

  /** `Billing.Meter`, `Coupon.AppliesTo`: the folder, the namespaces, the name. */
  #nameOf(declaration: ts.InterfaceDeclaration | ts.TypeAliasDeclaration): string {
    const parts = [declaration.name.text];
    for (let parent: ts.Node = declaration.parent; !ts.isSourceFile(parent); parent = parent.parent) {
      if (ts.isModuleDeclaration(parent)) parts.unshift(parent.name.text);
    }
    const folder = dirname(relative(this.#from.root, declaration.getSourceFile().fileName));
    if (folder !== "." && !folder.startsWith("..")) parts.unshift(...folder.split(sep));
    // `namespace Billing` in the folder Billing says it twice.
    return parts.filter((part, place) => part !== parts[place - 1]).join(".");
  }

  #interface(declaration: ts.InterfaceDeclaration): TypeNode {
    const known = this.#done.get(declaration);
    if (known !== undefined) return `#${known}`;
    const name = this.#nameOf(declaration).replace(/^EventBase$/, "Event");
    if (EVENT_PARTS.has(name)) return "any";
    const members = this.#membersOf(declaration);
    const own = this.#kind === "shapes" && isTopLevel(declaration) && objectOf(members) !== undefined;
    if (own) {
      // Named before its fields are read: objects point to each other in circles.
      this.#done.set(declaration, name);
      this.#register(name, members);
      const written = this.#definition(members);
      this.definitions.set(name, written);
      return `#${name}`;
    }
    if (this.#open.has(declaration)) throw new Error(`${name} contains itself`);
    this.#open.add(declaration);
    const reference = this.#members(declaration, members, name);
    this.#open.delete(declaration);
    if (typeof reference === "string") this.#done.set(declaration, reference.slice(1));
    return reference;
  }

  #register(name: string, members: readonly ts.TypeElement[]): void {
    const object = objectOf(members) ?? "";
    const isDeleted = members.some(
      (member) => nameOfMember(member) === "deleted" && memberType(member)?.getText() === "true",
    );
    const into = isDeleted ? this.deleted : this.objects;
    const other = into.get(object);
    if (other === undefined || name.length < other.length) into.set(object, name);
  }

  /** The members of an interface and of what it extends; its own come last and win. */
  #membersOf(declaration: ts.InterfaceDeclaration): ts.TypeElement[] {
    const byName = new Map<string, ts.TypeElement>();
    for (const clause of declaration.heritageClauses ?? []) {
      for (const { expression } of clause.types) {
        if (!ts.isIdentifier(expression) && !ts.isPropertyAccessExpression(expression)) continue;
        const base = this.#declaration(expression as ts.EntityName);
        if (!ts.isInterfaceDeclaration(base)) throw new Error(`${base.name.text} is extended, but no interface`);
        for (const member of this.#membersOf(base)) byName.set(nameOfMember(member), member);
      }
    }
    for (const member of declaration.members) byName.set(nameOfMember(member), member);
    return [...byName.values()];
  }

  #members(owner: ts.Node, members: readonly ts.TypeElement[], name: string): TypeNode {
    const index = members.find((member) => ts.isIndexSignatureDeclaration(member));
    if (index !== undefined && ts.isIndexSignatureDeclaration(index)) {
      return { map: name.startsWith("Metadata") ? "string" : this.node(index.type) };
    }
    return this.#share(
      name || `At${owner.getSourceFile().fileName.replace(/.*\/|\.d\.ts/g, "")}`,
      this.#definition(members),
    );
  }

  #definition(members: readonly ts.TypeElement[]): Definition {
    const fields: Record<string, TypeNode> = {};
    const exceptions: string[] = [];
    for (const member of members) {
      const type = memberType(member);
      if (type === undefined || type.kind === ts.SyntaxKind.VoidKeyword) continue;
      const field = nameOfMember(member);
      fields[field] = this.node(type);
      if ((member.questionToken === undefined) === (this.#kind === "parameters")) exceptions.push(field);
    }
    if (exceptions.length === 0) return { fields };
    return { fields, [this.#kind === "parameters" ? "required" : "optional"]: exceptions };
  }

  /** One definition for everything that reads the same: under the first name that it was met with. */
  #share(name: string, definition: Definition): `#${string}` {
    const text = JSON.stringify(definition);
    // What a route takes keeps its own name, so that a line of the table can be read by itself.
    const known = /^(\w+\.)?\w+Params$/.test(name) && !COMMON.has(text) ? undefined : this.#byText.get(text);
    if (known !== undefined) return `#${known}`;
    let free = COMMON.get(text) ?? name;
    for (let count = 2; this.definitions.has(free); count++) free = `${name}${count}`;
    this.definitions.set(free, definition);
    this.#byText.set(text, free);
    return `#${free}`;
  }

  #union(parts: readonly TypeNode[]): TypeNode {
    const literals = parts.flatMap((part) => (typeof part === "object" && "enum" in part ? part.enum : []));
    const isEmpty = literals.includes("") && literals.length + Number(parts.includes("string")) > 1;
    const values = isEmpty ? literals.filter((value) => value !== "") : literals;
    const isOpen = parts.includes("open");
    const rest = parts.filter(
      (part) => part !== "null" && part !== "open" && !(typeof part === "object" && "enum" in part),
    );
    const members: TypeNode[] = [...rest];
    if (values.length > 0) members.unshift(this.#enum(values, isOpen));
    const [only] = members;
    if (only === undefined) throw new Error("a union of nothing");
    const joined: TypeNode = members.length === 1 ? only : { or: members };
    if (isEmpty) return { emptyable: joined };
    return parts.includes("null") ? { nullable: joined } : joined;
  }

  #enum(values: Literal[], isOpen: boolean): TypeNode {
    const node = isOpen ? { enum: values, open: true as const } : { enum: values };
    return values.length >= SHARED_ENUM ? this.#share(`Enum.${String(values[0])}`, node) : node;
  }
}

function literal(node: ts.LiteralTypeNode["literal"]): TypeNode {
  if (node.kind === ts.SyntaxKind.NullKeyword) return "null";
  if (node.kind === ts.SyntaxKind.TrueKeyword) return { enum: [true] };
  if (node.kind === ts.SyntaxKind.FalseKeyword) return { enum: [false] };
  if (ts.isStringLiteral(node)) return { enum: [node.text] };
  if (ts.isNumericLiteral(node)) return { enum: [Number(node.text)] };
  throw new Error(`a literal that the generator does not know: ${node.getText()}`);
}

const isTopLevel = (declaration: ts.InterfaceDeclaration): boolean => ts.isSourceFile(declaration.parent);

function nameOfMember(member: ts.TypeElement): string {
  const { name } = member;
  if (name === undefined) return "[index]";
  return ts.isStringLiteral(name) || ts.isIdentifier(name) || ts.isNumericLiteral(name) ? name.text : name.getText();
}

function memberType(member: ts.TypeElement): ts.TypeNode | undefined {
  return ts.isPropertySignature(member) ? member.type : undefined;
}

function objectOf(members: readonly ts.TypeElement[]): string | undefined {
  const type = members
    .map((member) => (nameOfMember(member) === "object" ? memberType(member) : undefined))
    .find(Boolean);
  if (type === undefined || !ts.isLiteralTypeNode(type) || !ts.isStringLiteral(type.literal)) return undefined;
  return type.literal.text;
}
