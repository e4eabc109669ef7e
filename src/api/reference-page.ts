// The reference as one page of HTML, made from the OpenAPI document: no script, nothing loaded from elsewhere. Pure.
import { createHash } from "node:crypto";

interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  default?: unknown;
  description?: string;
}

interface OperationObject {
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: JsonSchema }[];
  requestBody?: { content?: Record<string, { schema?: JsonSchema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: JsonSchema }> }>;
}

/** As much of an OpenAPI document as the page shows. */
export interface ReferenceDocument {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, OperationObject>>;
  components?: { schemas?: Record<string, JsonSchema> };
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  code, .path { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere }
  details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem }
  summary { cursor: pointer } summary b { display: inline-block; min-width: 3.5rem }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0 } td { border-top: 1px solid #8884; padding: .2rem .5rem .2rem 0; vertical-align: top }
  .who { opacity: .7 }`;

/** The page may use its own style and nothing else. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

export function referencePage(document: ReferenceDocument): string {
  const { title, version, description = "" } = document.info;
  const sections = [...operationsByTag(document)].map(
    ([tag, operations]) => `<h2>${escaped(tag)}</h2>${operations.join("")}`,
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="${escaped(name)}"><summary>${code(name)}</summary>${propertyTable(schema)}</details>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)} API</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)} API <small>${escaped(version)}</small></h1><p>${marked(description)}</p>
<p><a href="/api/openapi.json">openapi.json</a></p>${sections.join("")}<h2>Shapes</h2>${schemas.join("")}</body></html>`;
}

function operationsByTag({ paths }: ReferenceDocument): Map<string, string[]> {
  const tags = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "Other";
      tags.set(tag, [...(tags.get(tag) ?? []), operationBlock(method, path, operation)]);
    }
  }
  return tags;
}

function operationBlock(method: string, path: string, operation: OperationObject): string {
  const who = operation.security === undefined ? "" : ` <span class="who">operator</span>`;
  const parameters = (operation.parameters ?? []).map((parameter) =>
    row(
      parameter.name,
      `${parameter.in}, ${typeOf(parameter.schema ?? {})}`,
      parameter.description ?? parameter.schema?.description,
    ),
  );
  const bodies = Object.values(operation.requestBody?.content ?? {}).map(
    ({ schema = {} }) => `<p>Body</p>${propertyTable(schema)}`,
  );
  const answers = Object.entries(operation.responses ?? {}).flatMap(([status, { description, content = {} }]) =>
    Object.entries(content).map(([type, { schema = {} }]) =>
      row(
        status,
        type === "application/json" ? typeOf(schema) : escaped(type),
        description === "Default Response" ? "" : description,
      ),
    ),
  );
  return `<details><summary><b>${escaped(method.toUpperCase())}</b> <span class="path">${escaped(path)}</span>${who}<br>${escaped(operation.summary ?? "")}</summary>
${table(parameters)}${bodies.join("")}<p>Answers</p>${table(answers)}</details>`;
}

function propertyTable(schema: JsonSchema): string {
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) =>
    row(name, `${typeOf(property)}${required.has(name) ? "" : ", optional"}`, property.description),
  );
  return rows.length === 0 ? `<p>${typeOf(schema)}</p>` : table(rows);
}

/** As HTML. */
function typeOf(schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const name = escaped(schema.$ref.split("/").at(-1) ?? "");
    return `<a href="#${name}">${name}</a>`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(" | ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(" | ");
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.properties?.data?.items !== undefined) return `page of ${typeOf(schema.properties.data.items)}`;
  return escaped([schema.type ?? "any"].flat().join(" | "));
}

const row = (name: string, type: string, description = ""): string =>
  `<tr><td>${code(name)}</td><td>${type}</td><td>${marked(description)}</td></tr>`;
const table = (rows: readonly string[]): string => (rows.length === 0 ? "" : `<table>${rows.join("")}</table>`);
const code = (text: string): string => `<code>${escaped(text)}</code>`;
const marked = (text: string): string => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
