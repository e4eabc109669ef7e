// The HTTP door: the rules that hold for every route (API.md), around the table in routes.ts.
import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";

import fastify from "fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from "fastify";
import { validatorCompiler } from "fastify-type-provider-zod";

import { errorBody, publicError } from "../base/errors.ts";
import type { PublicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { nestsDeeperThan } from "../base/json-depth.ts";
import { MAX_DEPTH } from "../base/text.ts";
import { addressOf } from "../tenants/rate-limits.ts";
import { clientErrorAnswer, httpListener, LIMITS } from "./http-listener.ts";
import { admit, identify, NOBODY } from "./caller.ts";
import type { Caller } from "./caller.ts";
import { corsHeaders, isPreflight } from "./cors.ts";
import { answerByDashboard } from "./dashboard-pages.ts";
import { runOnce } from "./idempotency.ts";
import { keepPeopleUp } from "./people-upkeep.ts";
import { registerReference, schemaOf } from "./reference.ts";
import { MAX_BODY_BYTES } from "./refusal.ts";
import { requestError } from "./request-errors.ts";
import { methodsOf } from "./route.ts";
import type { ApiDependencies, Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { countRequest } from "./tries.ts";
import { webhookDoor } from "./webhook-door.ts";
import type { WebhookDoor } from "./webhook-door.ts";

export type { ApiDependencies } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** How the request's line in the log is told. */
    logged?: "info" | "debug" | "none";
    idempotent?: boolean;
  }
  interface FastifyRequest {
    /** On the monotonic clock, milliseconds. */
    startedAt: number;
    /** What it was answered with, if not with success. */
    refusal: PublicError | undefined;
    /** Set before the body is read. */
    caller: Caller | undefined;
    /** SHA-256 of the body's bytes, on routes that take an Idempotency-Key. */
    bodyHash: Buffer | undefined;
  }
}

/** The server, not yet listening. `close()` lets running requests finish. */
export function buildApi(deps: ApiDependencies, routes: readonly Route[] = ROUTES): FastifyInstance {
  const door = webhookDoor(deps);
  const app = fastify({
    serverFactory: (router) => httpListener({ limits: { ...LIMITS, ...deps.limits }, door, router }),
    clientErrorHandler: clientErrorAnswer(deps.log),
    frameworkErrors: (error, request, reply) => {
      answerError(deps, error, request, reply);
    },
    genReqId: () => newId("req"),
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    // No request is cut off: what arrives while we stop is answered, and its connection closed.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1000 },
    ...trustedProxies(deps.trustProxy),
  });
  app.setValidatorCompiler(validatorCompiler);
  // The schemas of answers are for the reference; tests hold the answers against them.
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
  readJsonBodies(app);
  app.decorateRequest("startedAt", 0);
  app.decorateRequest("refusal", undefined);
  app.decorateRequest("caller", undefined);
  app.decorateRequest("bodyHash", undefined);
  app.addHook("onRequest", async (request, reply) => {
    request.startedAt = deps.clock.monotonic();
    reply.headers(headersOf(request, deps));
    if (deps.stopping()) reply.header("connection", "close");
    if (isPreflight(request, deps.corsOrigins)) return reply.status(204).send();
  });
  app.addHook("onResponse", async (request, reply) => tell(deps, request, reply));
  app.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    if (!answerByDashboard(deps, routes, request, reply))
      answerError(deps, missing(routes, request, reply), request, reply);
  });
  // Before the server stops listening: whoever waits is answered with what is known.
  app.addHook("preClose", () => deps.status.stop());
  keepPeopleUp(app, deps);
  registerReference(app, deps);
  app.register(async (scope) => {
    for (const route of routes) addRoute(scope, route, deps, door);
  });
  return app;
}

/** A number counts the proxies before us; anybody could write what stands further left in X-Forwarded-For. */
function trustedProxies(trusted: number | string | undefined): Pick<FastifyServerOptions, "trustProxy"> {
  if (trusted === undefined) return {};
  return { trustProxy: typeof trusted === "number" ? (_address, hop) => hop < trusted : trusted };
}

function headersOf(request: FastifyRequest, { publicUrl, corsOrigins }: ApiDependencies): Record<string, string> {
  return {
    "x-request-id": request.id,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...(publicUrl.startsWith("https:") ? { "strict-transport-security": "max-age=31536000" } : {}),
    ...corsHeaders(request, corsOrigins),
  };
}

function addRoute(app: FastifyInstance, route: Route, deps: ApiDependencies, door: WebhookDoor): void {
  const { method, path, who, summary, operation } = route;
  app.route({
    method,
    url: path,
    config: { logged: operation.logged ?? "info", idempotent: operation.idempotent ?? false },
    schema: schemaOf(route),
    onRequest: async (request, reply) => {
      if (operation.whileMoving !== true && operation.logged !== "debug") refuseWhileMoving(deps);
      const isCounted = who !== "stripe" && operation.logged !== "debug";
      const { headers } = request;
      // Nobody looks at the token of a probe, nor at that of Stripe.
      const isOpen = who === "anyone" || who === "stripe";
      const identity = isCounted || !isOpen ? await identify(deps, headers.authorization) : NOBODY;
      const asking = { identity, headers, source: addressOf(request.ip) };
      if (isCounted) countRequest(deps, who, asking, reply);
      request.caller = admit(deps, who, asking);
      if (who === "stripe") {
        // Only requests without a connection (app.inject) come this way: the listener hands all others to the door.
        reply.hijack();
        door(request.raw, reply.raw);
      }
    },
    handler: async (request, reply) => {
      const { params, query, body, headers, caller } = request;
      if (caller === undefined) throw new Error("nobody has looked who calls");
      const call = { deps, params, query, body, headers, caller, reply, requestId: request.id };
      return operation.idempotent === true ? runOnce(route, call, request) : operation.run(call);
    },
  });
  if (summary === "") throw new Error(`${method} ${path} needs a summary.`);
  if (operation.idempotent === true && (who === "anyone" || who === "stripe")) {
    throw new Error(`${method} ${path} cannot take an Idempotency-Key: nobody knows whose key it is.`);
  }
}

function refuseWhileMoving({ move }: ApiDependencies): void {
  const refusal = move?.refusing();
  if (refusal !== undefined) throw refusal;
}

/** JSON alone, as bytes: text in another encoding is refused, not guessed. An empty body is no body. */
function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, bytes, done) => {
    const body = bytes as Buffer;
    if (request.routeOptions.config.idempotent === true) request.bodyHash = hash("sha256", body, "buffer");
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    try {
      if (!isUtf8(body)) throw publicError("invalid_json");
      const text = body.toString("utf8");
      if (nestsDeeperThan(text, MAX_DEPTH)) done(publicError("invalid_request", { message: TOO_DEEP }));
      else done(null, JSON.parse(text) as unknown);
    } catch {
      // The parser's own message quotes the body.
      done(publicError("invalid_json"));
    }
  });
}

const TOO_DEEP = `The body nests deeper than ${String(MAX_DEPTH)} levels: send it flatter.`;

/** 405 for a path that takes other methods, else 404. */
function missing(routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): PublicError {
  const methods = methodsOf(routes, request.url.split("?", 1)[0] ?? "");
  if (methods.length === 0) return publicError("not_found");
  reply.header("allow", methods.join(", "));
  return publicError("method_not_allowed");
}

function answerError(deps: ApiDependencies, thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = requestError(thrown);
  request.refusal = error;
  reply.headers(headersOf(request, deps));
  if (error.retryAfter !== undefined) reply.header("retry-after", error.retryAfter);
  if (error.code === "unauthorized") reply.header("www-authenticate", 'Bearer realm="billhook"');
  if (error.status >= 500)
    deps.log.error("a request failed", { request_id: request.id, code: error.code, error: error.cause });
  reply.status(error.status).type("application/json; charset=utf-8").send(errorBody(error, request.id));
}

function tell({ log, clock }: ApiDependencies, request: FastifyRequest, reply: FastifyReply): void {
  const { config, url } = request.routeOptions;
  if (config.logged === "none") return;
  const fields = {
    request_id: request.id,
    method: request.method,
    route: url ?? "unknown",
    status: reply.statusCode,
    code: request.refusal?.code,
    duration_ms: Math.round(clock.monotonic() - request.startedAt),
  };
  if (config.logged === "debug") log.debug("request.answered", fields);
  else log.unit("request.answered", fields);
}
