// Every answer and every event of a tour through the sandbox, written out as TypeScript and compiled against the SDK's own types.
import { join } from "node:path";

import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { DELETED_SHAPES, OBJECT_SHAPES, SHAPES } from "../sandbox/core/shapes.ts";
import { type ApiAnswer, openSandbox, type OpenSandbox } from "./support/sandbox.ts";
import { tour } from "./support/sandbox-tour.ts";

interface Wire {
  object?: string;
  deleted?: boolean;
  data?: unknown;
  type?: string;
}

/** Fields that the SDK's types call Decimal; on the wire they are text. */
const DECIMALS = new Set(
  [...SHAPES.values()].flatMap((shape) =>
    "fields" in shape
      ? Object.entries(shape.fields).flatMap(([name, node]) =>
          JSON.stringify(node).includes('"decimal"') ? [name] : [],
        )
      : [],
  ),
);

describe("the sandbox's answers and events", () => {
  let sandbox: OpenSandbox;
  const answers: ApiAnswer[] = [];

  beforeAll(async () => {
    sandbox = await openSandbox({ onAnswer: (answer) => answers.push(answer) });
    await tour(sandbox.stripe);
  }, 60_000);
  afterAll(() => sandbox.close());

  it("have the SDK's types by the compiler's judgement, which finds a field that is missing, of another type or unknown", () => {
    const bodies = answers.filter(({ status }) => status < 400).flatMap(({ body }) => objectsIn(body));
    const samples = [...distinct(bodies.map(answerDeclaration)), ...distinct(sandbox.events().map(eventDeclaration))];
    expect(samples.length).toBeGreaterThan(150);

    const coupon = { ...sandbox.objects("coupon")[0] };
    const { valid: _valid, ...without } = coupon;
    const wrong = [without, { ...coupon, percent_off: "25" }, { ...coupon, colour: "red" }].map(
      (object) => `const wrong: Stripe.Coupon = ${literal(object)};`,
    );
    const problems = compile([...samples, ...wrong]);
    expect(problems.filter(({ declaration }) => declaration < samples.length)).toEqual([]);
    expect(problems.map(({ declaration }) => declaration - samples.length)).toEqual([0, 1, 2]);
  }, 120_000);
});

/** An answer, or what a list holds. */
function objectsIn(body: unknown): Wire[] {
  const { object, data } = body as Wire;
  return object === "list" || object === "search_result" ? (data as Wire[]) : [body as Wire];
}

function answerDeclaration(body: Wire): string {
  const object = body.object ?? "";
  const shape = body.deleted === true ? DELETED_SHAPES.get(object) : OBJECT_SHAPES.get(object);
  return `const answer: ${shape === undefined ? `never /* ${object} */` : `Stripe.${shape}`} = ${literal(body)};`;
}

/** previous_attributes may be a part of a part, which no type says. */
function eventDeclaration(event: object): string {
  const { data, ...envelope } = event as { data: { object: object } };
  return `const event: Stripe.Event = ${literal({ ...envelope, data: { object: data.object } })};`;
}

function literal(value: unknown, name = ""): string {
  if (typeof value === "string" && DECIMALS.has(name)) return `decimal(${JSON.stringify(value)})`;
  if (Array.isArray(value)) return `[${value.map((inner) => literal(inner, name)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${literal(inner, key)}`)
    .join(", ")}}`;
}

/** One of each form: ids, texts and numbers aside. */
function distinct(declarations: readonly string[]): string[] {
  const form = (text: string): string =>
    text.replaceAll(/(?<!"type": |"object": |"status": )"[^"]*"(?!:)/g, '""').replaceAll(/-?\d+/g, "0");
  return [...new Map(declarations.map((text) => [form(text), text])).values()];
}

const HEAD = ['import type Stripe from "stripe";', "declare function decimal(text: string): Stripe.Decimal;"];

interface Problem {
  /** Which declaration, from 0. */
  declaration: number;
  text: string;
}

function compile(declarations: readonly string[]): Problem[] {
  const file = join(import.meta.dirname, "support", "sandbox-answers.generated.ts");
  const lines = [...HEAD, ...declarations.map((text, index) => text.replace(/^const \w+/, `export const x${index}`))];
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const text = lines.join("\n");
  const [readFile, fileExists, getSourceFile] = [
    host.readFile.bind(host),
    host.fileExists.bind(host),
    host.getSourceFile.bind(host),
  ];
  host.readFile = (path) => (path === file ? text : readFile(path));
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, version, ...rest) =>
    path === file ? ts.createSourceFile(path, text, version) : getSourceFile(path, version, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start, file: source }) => {
    const line = source === undefined || start === undefined ? 0 : source.getLineAndCharacterOfPosition(start).line;
    const message = ts.flattenDiagnosticMessageText(messageText, " ").slice(0, 400);
    return { declaration: line - HEAD.length, text: `${(lines[line] ?? "").slice(0, 160)} … ${message}` };
  });
}
