// kit/generated/api.ts: the types of every route, from the OpenAPI document, for the typed client.
import { pathToFileURL } from "node:url";

import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";

import { ERROR_CODES } from "../src/base/errors.ts";

const HEADER = `// The types of every route of Billhook's API. Written by \`npm run generate\` from docs/openapi.json: do not edit.
`;

interface Document {
  paths: Record<string, Record<string, { parameters?: { in: string; name: string }[]; requestBody?: RequestBody }>>;
}

interface RequestBody {
  required?: boolean;
  content: Record<string, { schema: { anyOf?: { type?: string }[] } }>;
}

/** `openApi` is the text of docs/openapi.json. */
export async function clientTypes(openApi: string): Promise<string> {
  const document = JSON.parse(openApi) as Document & OpenAPI3;
  for (const { requestBody } of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    if (requestBody !== undefined) requestBody.required = !mayBeNull(requestBody);
  }
  const tree = await openapiTS(document, {
    // What has a default may be left out of a request.
    defaultNonNullable: false,
    cwd: pathToFileURL(`${import.meta.dirname}/`),
  });
  const codes = ERROR_CODES.map((code) => `\n  | ${JSON.stringify(code)}`).join("");
  return [
    HEADER,
    `/** Every \`code\` of an error; a later server may know more. */\nexport type ErrorCode =${codes};\n`,
    `/** Which operations take an Idempotency-Key: they may be sent again. */`,
    `export const IDEMPOTENT: ReadonlySet<string> = new Set([${idempotent(document).join("")}\n]);\n`,
    astToString(tree),
  ].join("\n");
}

/** What may be null may be left out too: the document cannot tell the one from the other. */
const mayBeNull = ({ content }: RequestBody): boolean =>
  Object.values(content).some(({ schema }) => schema.anyOf?.some(({ type }) => type === "null") === true);

function idempotent({ paths }: Document): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { parameters = [] }]) => parameters.some(({ name }) => name.toLowerCase() === "idempotency-key"))
      .map(([method]) => `\n  ${JSON.stringify(`${method.toUpperCase()} ${path}`)},`),
  );
}
