// Writes sandbox/generated: which parameters each route takes and what each object looks like, from stripe's own types.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import ts from "typescript";

import { stripeDeclarations, TableWriter } from "./sandbox-types.ts";
import type { Declarations, Definition, TypeNode } from "./sandbox-types.ts";

const ROOT = join(import.meta.dirname, "..");
const ESM = join(ROOT, "node_modules/stripe/esm");

/** The parts of /v1 that the sandbox answers. */
const PARTS = `customers payment_methods setup_intents payment_intents charges refunds disputes products prices plans
  coupons promotion_codes tax_rates tax_ids subscriptions subscription_items subscription_schedules invoiceitems invoices
  invoice_payments credit_notes checkout/sessions billing_portal billing/meters billing/meter_events accounts account
  account_links account_sessions transfers topups payouts application_fees balance balance_transactions events
  webhook_endpoints test_helpers/test_clocks test_helpers/customers test_helpers/refunds test_helpers/issuing tokens
  sources setup_attempts quotes payment_links identity/verification_sessions reporting/report_runs issuing/cards
  issuing/cardholders issuing/authorizations issuing/transactions customer_sessions ephemeral_keys shipping_rates`
  .split(/\s+/)
  .map((part) => `/v1/${part}`);

interface Call {
  verb: string;
  path: string;
  method: ts.MethodDeclaration;
}

interface Route {
  params?: TypeNode;
  answer?: TypeNode;
}

const covered = (path: string): boolean => PARTS.some((part) => path === part || path.startsWith(`${part}/`));

/** `/v1/coupons/${…}` → `/v1/coupons/*` */
function pathOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `*${span.literal.text}`).join("");
}

/** The requests that a method of a .js file makes: `this._makeRequest('POST', '/v1/coupons', …)`. */
function callsOf(declarationFile: string): Map<string, { verb: string; path: string }[]> {
  const calls = new Map<string, { verb: string; path: string }[]>();
  const path = declarationFile.replace(/\.d\.ts$/, ".js");
  const tree = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2024, true);
  const visit = (node: ts.Node, owner: string): void => {
    const name = ts.isClassDeclaration(node)
      ? (node.name?.text ?? "")
      : ts.isMethodDeclaration(node)
        ? `${owner}.${node.name.getText()}`
        : owner;
    if (ts.isCallExpression(node) && node.expression.getText() === "this._makeRequest") {
      const [verb, address] = node.arguments;
      const to = address === undefined ? undefined : pathOf(address);
      if (verb !== undefined && ts.isStringLiteral(verb) && to !== undefined) {
        calls.set(name, [...(calls.get(name) ?? []), { verb: verb.text, path: to }]);
      }
    }
    node.forEachChild((child) => visit(child, name));
  };
  visit(tree, "");
  return calls;
}

const takesParams = (method: ts.MethodDeclaration): boolean =>
  method.parameters.some(({ name }) => name.getText() === "params");

/** Each covered route with the method that declares it; of several overloads the one with parameters. */
function covering({ files }: Declarations): Call[] {
  const found = new Map<string, Call>();
  for (const file of files) {
    const classes = file.statements.filter((part) => ts.isClassDeclaration(part));
    if (classes.length === 0) continue;
    const calls = callsOf(file.fileName);
    for (const resource of classes) {
      for (const method of resource.members.filter((member) => ts.isMethodDeclaration(member))) {
        for (const { verb, path } of calls.get(`${resource.name?.text ?? ""}.${method.name.getText()}`) ?? []) {
          const known = found.get(`${verb} ${path}`);
          if (covered(path) && (known === undefined || (!takesParams(known.method) && takesParams(method)))) {
            found.set(`${verb} ${path}`, { verb, path, method });
          }
        }
      }
    }
  }
  return [...found.values()].sort((one, other) => order(`${one.path} ${one.verb}`, `${other.path} ${other.verb}`));
}

const order = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** `Promise<Response<Coupon>>` → Coupon; a list's promise → a list of it. */
function answerOf(method: ts.MethodDeclaration, shapes: TableWriter): TypeNode | undefined {
  const { type } = method;
  if (type === undefined || !ts.isTypeReferenceNode(type)) return undefined;
  const inner = type.typeArguments?.[0];
  if (inner === undefined) return undefined;
  const name = type.typeName.getText();
  if (name === "ApiListPromise") return { list: shapes.node(inner) };
  if (name === "ApiSearchResultPromise") return { array: shapes.node(inner) };
  const answer = ts.isTypeReferenceNode(inner) ? inner.typeArguments?.[0] : undefined;
  return answer === undefined ? undefined : shapes.node(answer);
}

const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] => [...map].sort(([one], [other]) => order(one, other));

/** One entry per line: a change of one parameter is one changed line. */
function linesOf(entries: readonly [string, unknown][]): string {
  return `{\n${entries.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(",\n")}\n}`;
}

const tableText = (tables: Readonly<Record<string, readonly [string, unknown][]>>): string =>
  `{\n${Object.entries(tables)
    .map(([name, entries]) => `${JSON.stringify(name)}: ${linesOf(entries)}`)
    .join(",\n")}\n}\n`;

/** The generated files of the sandbox, as they must be. */
export function sandboxTables(): { path: string; text: string }[] {
  const declarations = stripeDeclarations(ESM);
  const parameters = new TableWriter(declarations, "parameters");
  const shapes = new TableWriter(declarations, "shapes");
  const routes = new Map<string, Route>();
  for (const { verb, path, method } of covering(declarations)) {
    const params = method.parameters.find(({ name }) => name.getText() === "params")?.type;
    const answer = answerOf(method, shapes);
    routes.set(`${verb} ${path}`, {
      ...(params === undefined ? {} : { params: parameters.node(params) }),
      ...(answer === undefined ? {} : { answer }),
    });
  }
  const definitions = (writer: TableWriter): [string, Definition][] => sorted(writer.definitions);
  return [
    {
      path: "sandbox/generated/parameters.json",
      text: tableText({ routes: [...routes], definitions: definitions(parameters) }),
    },
    {
      path: "sandbox/generated/shapes.json",
      text: tableText({
        objects: sorted(shapes.objects),
        deleted: sorted(shapes.deleted),
        definitions: definitions(shapes),
      }),
    },
  ];
}

if (process.argv[1] === import.meta.filename) {
  for (const { path, text } of sandboxTables()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
    console.log(`wrote ${path} (${Math.round(text.length / 1024)} KiB)`);
  }
}
