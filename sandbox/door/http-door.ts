// The sandbox's HTTP door: Stripe's API, its OAuth, the hosted pages, and the control endpoints.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { invalidRequest } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { OAuthRoute } from "../connect/oauth.ts";
import type { ControlRoute } from "../delivery/control.ts";
import { takeFault } from "../delivery/faults.ts";
import type { PageRoute } from "../pages/page.ts";
import { browserFields, READABLE_EVERYWHERE, readableFor } from "./browser-call.ts";
import { type ApiCall, callApi, failureAnswer, scopeNameOf, unrecognized } from "./api-call.ts";
import { decodeBody, decodeCall, decodeForm } from "./form.ts";
import { KeysInUse } from "./idempotency.ts";
import { checkHost, checkNear } from "./nearness.ts";
import type { RouteTable } from "./route-table.ts";

export interface Surface {
  api: RouteTable;
  oauth: RouteTable<OAuthRoute>;
  pages: RouteTable<PageRoute>;
  control: RouteTable<ControlRoute>;
}

const LARGEST_BODY = 1024 * 1024;

interface Visit {
  world: World;
  surface: Surface;
  keysInUse: KeysInUse;
  controlOrigins: ReadonlySet<string>;
  method: string;
  path: string;
  query: string;
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
}

/** `controlOrigins`: of pages that may call the control endpoints. */
export function openDoor(world: World, surface: Surface, controlOrigins: ReadonlySet<string>): Server {
  const keysInUse = new KeysInUse();
  return createServer((request, response) => {
    const [path = "/", ...rest] = (request.url ?? "/").split("?");
    const query = rest.join("?");
    const method = request.method ?? "GET";
    const requestId = `req_${world.random.text(14)}`;
    const visit: Visit = {
      world,
      surface,
      keysInUse,
      controlOrigins,
      method,
      path,
      query,
      request,
      response,
      requestId,
    };
    visited(visit).catch((error: unknown) => {
      // The caller hung up: nobody waits for an answer.
      if (request.destroyed && !request.complete) return;
      const { status, body } = failureAnswer(error);
      if (response.headersSent) response.destroy();
      else sendJson(visit, status, body, controlHeaders(visit));
      // Of a body that is too large: what still comes is read and thrown away, or the caller would not see the answer.
      request.resume();
    });
  });
}

async function visited(visit: Visit): Promise<void> {
  const { path } = visit;
  checkHost(visit.request);
  if (/^\/v[12](\/|$)/.test(path)) return visitApi(visit);
  if (isControl(path)) return visitControl(visit);
  const oauth = visit.surface.oauth.find(visit.method, path);
  if (oauth !== undefined) return visitOAuth(visit, oauth.route);
  return visitPage(visit);
}

async function visitApi(visit: Visit): Promise<void> {
  const { world, surface, method, path, request, requestId } = visit;
  const idempotencyKey = header(request, "idempotency-key") || undefined;
  const call: Omit<ApiCall, "parameters"> = {
    method,
    path,
    authorization: header(request, "authorization"),
    account: header(request, "stripe-account") ?? header(request, "stripe-context"),
    idempotencyKey,
    version: header(request, "stripe-version"),
    requestId,
  };
  // Taken before the body is read: two calls that overlap on the wire overlap here too.
  const release =
    idempotencyKey === undefined || method !== "POST"
      ? undefined
      : visit.keysInUse.take(scopeNameOf(call), idempotencyKey);
  try {
    const body = await readBody(request);
    const fault = takeFault(world, method, path);
    if (fault?.isAfter === false) {
      sendJson(visit, fault.status, fault.body, fault.headers);
      return;
    }
    const parameters = { ...decodeForm(visit.query), ...decodeCall(path, body, header(request, "content-type")) };
    const browser = call.authorization === undefined ? browserFields(parameters) : undefined;
    const answer = callApi(world, surface.api, { ...call, parameters, ...browser });
    // The work is done and its answer is lost: what an idempotency key is for.
    if (fault !== undefined) {
      sendJson(visit, fault.status, fault.body, fault.headers);
      return;
    }
    sendJson(visit, answer.status, answer.body, {
      "stripe-version": answer.version,
      ...(browser === undefined ? {} : READABLE_EVERYWHERE),
      ...(call.account === undefined ? {} : { "stripe-account": call.account }),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...(answer.replayed ? { "idempotent-replayed": "true" } : {}),
      ...(answer.replayed && answer.request !== undefined ? { "original-request": answer.request } : {}),
    });
  } finally {
    release?.();
  }
}

async function visitOAuth(visit: Visit, route: OAuthRoute): Promise<void> {
  const form = flat(decodeBody(await readBody(visit.request), header(visit.request, "content-type")));
  const { status, body } = route.answer(visit.world, form, header(visit.request, "authorization"));
  sendJson(visit, status, JSON.stringify(body));
}

async function visitPage(visit: Visit): Promise<void> {
  const { world, surface, method, path, query, request, response } = visit;
  const found = surface.pages.find(method === "HEAD" ? "GET" : method, path);
  if (found === undefined) throw unrecognized(method, path);
  const form = flat(decodeForm(await readBody(request)));
  const page = await found.route.answer(world, {
    form,
    query: flat(decodeForm(query)),
    ids: found.ids,
    origin: world.origin,
  });
  if ("redirect" in page) {
    response.writeHead(303, { location: page.redirect, "content-length": 0 }).end();
    return;
  }
  const policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'";
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": policy,
  };
  response.writeHead(page.status, headers).end(page.html);
}

const isControl = (path: string): boolean => path.startsWith("/_sandbox/");

const controlHeaders = ({ path, request, controlOrigins }: Visit): Record<string, string> =>
  isControl(path) ? readableFor(request.headers.origin, controlOrigins) : {};

/** The control endpoints turn the sandbox's knobs: from this machine alone, and never for a page of another site. */
async function visitControl(visit: Visit): Promise<void> {
  const { world, surface, method, path, query, request } = visit;
  checkNear(request, visit.controlOrigins);
  const found = surface.control.find(method, path);
  if (found === undefined) throw unrecognized(method, path);
  const body = decodeBody(await readBody(request), header(request, "content-type"));
  const answer = await found.route.answer(world, {
    body: { ...decodeForm(query), ...body },
    ids: found.ids,
    api: surface.api,
  });
  sendJson(visit, 200, JSON.stringify(answer), controlHeaders(visit));
}

function sendJson(
  { response, requestId }: Visit,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": length,
    "request-id": requestId,
    ...(status === 401 ? { "www-authenticate": 'Bearer realm="Stripe"' } : {}),
    ...headers,
  });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  // Not for await: leaving such a loop early would cut the connection off before the answer.
  await new Promise<void>((resolve, reject) => {
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size <= LARGEST_BODY) pieces.push(piece);
      else reject(invalidRequest("Request body too large.", { status: 413 }));
    });
    request.once("end", resolve);
    request.once("error", reject);
    request.once("close", () => reject(new Error("the caller hung up")));
  });
  return Buffer.concat(pieces).toString("utf8");
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Forms of pages are flat: what is nested is no field of theirs. */
function flat(decoded: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(decoded).filter((field): field is [string, string] => typeof field[1] === "string"),
  );
}
