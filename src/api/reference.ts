// The OpenAPI document: generated from the routes, which are its only source.
import swagger from "@fastify/swagger";
import type { SwaggerTransformObject } from "@fastify/swagger";
import fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject, validatorCompiler } from "fastify-type-provider-zod";
import { z } from "zod";

import { IDEMPOTENCY_HEADERS } from "./idempotency.ts";
import { ErrorAnswer } from "./route.ts";
import type { ApiDependencies, Route, Who } from "./route.ts";

type Edition = Pick<ApiDependencies, "version" | "publicUrl">;

const DESCRIPTION =
  "Times are ISO 8601 in UTC, money is integer minor units beside its currency. Every path answers with and without the slash at its end, and every answer carries `X-Request-Id`. Lists take `limit` and `cursor`. Errors have one shape: see `Error`.";

function frame({ version, publicUrl }: Edition) {
  return {
    openapi: "3.1.0",
    info: { title: "Billhook", version, description: DESCRIPTION },
    servers: [{ url: publicUrl }],
    components: {
      securitySchemes: {
        operator: { type: "http" as const, scheme: "bearer", description: "`OPERATOR_TOKEN`." },
        person: {
          type: "http" as const,
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "The access token of a person who has signed in. With several tenants `Billhook-Tenant` says which, and `Billhook-Mode` says `live` or `test`.",
        },
        secretKey: {
          type: "http" as const,
          scheme: "bearer",
          description: "A tenant's secret key, `sk_…`; it fixes tenant and mode.",
        },
        accountSession: {
          type: "http" as const,
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "The token of an account session, which a tenant's own server asks for with its secret key: it is for one account, in that key's tenant and mode, for 15 minutes.",
        },
      },
    },
  };
}

/** Must come before the routes: it collects them as they are added. */
export function registerReference(app: FastifyInstance, edition: Edition): void {
  app.register(swagger, { openapi: frame(edition), transform: jsonSchemaTransform, transformObject: withoutInputs });
}

/** Named shapes are those of answers: their twins for requests are used nowhere. */
const withoutInputs: SwaggerTransformObject = (document) => {
  const transformed = jsonSchemaTransformObject(document);
  const { components = {} } = transformed as { components?: { schemas?: Record<string, unknown> } };
  // By name: they come in the order in which routes were compiled, which what a process did before changes.
  const named = Object.entries(components.schemas ?? {})
    .filter(([name]) => !name.endsWith("Input"))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.assign(transformed, { components: { ...components, schemas: Object.fromEntries(named) } });
};

type Requirement = Partial<Record<"operator" | "person" | "secretKey" | "accountSession", []>>;

/** Undefined: no token is asked for. */
const SECURITY: Record<Who, Requirement[] | undefined> = {
  anyone: undefined,
  stripe: undefined,
  operator: [{ operator: [] }, { person: [] }],
  user: [{ person: [] }],
  "account user": [{ person: [] }, { accountSession: [] }],
  "secret key": [{ secretKey: [] }],
  member: [{ person: [] }, { secretKey: [] }],
  admin: [{ person: [] }, { secretKey: [] }],
  "admin person": [{ person: [] }],
  owner: [{ person: [] }],
};

export function securityOf(who: Who): Requirement[] | undefined {
  return SECURITY[who];
}

const NOTHING = z.strictObject({});
const TEXT = z.string();

/** A route's schemas as Fastify checks them and the reference shows them. */
export function schemaOf({ who, summary, operation }: Route): Record<string, unknown> {
  const answers = Object.entries(operation.answers).map(([status, answer]): [string, unknown] => [
    status,
    "contentType" in answer
      ? { description: answer.description, content: { [answer.contentType]: { schema: TEXT } } }
      : answer,
  ]);
  return {
    summary,
    tags: [operation.tag],
    ...(securityOf(who) === undefined ? {} : { security: securityOf(who) }),
    ...(operation.params === undefined ? {} : { params: operation.params }),
    ...(operation.query === undefined ? { querystring: NOTHING } : { querystring: operation.query }),
    ...(operation.body === undefined ? {} : { body: operation.body }),
    ...(operation.idempotent === true ? { headers: IDEMPOTENCY_HEADERS } : {}),
    ...(operation.headers === undefined ? {} : { headers: operation.headers }),
    response: { ...Object.fromEntries(answers), default: ErrorAnswer },
  };
}

/** The document as the text of docs/openapi.json: no database and no server are needed. */
export async function openApiJson(routes: readonly Route[], edition: Edition): Promise<string> {
  const app = fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
  registerReference(app, edition);
  app.register(async (scope) => {
    for (const route of routes) {
      scope.route({ method: route.method, url: route.path, schema: schemaOf(route), handler: async () => null });
    }
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}
