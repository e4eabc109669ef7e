// Serves the dashboard where no route of the API answers: its files by their addresses, and its one page for every other one.
import { randomBytes } from "node:crypto";

import type { FastifyReply, FastifyRequest } from "fastify";

import { type DashboardAsset, encoded } from "./dashboard-assets.ts";
import { pageHeaders } from "./dashboard-policy.ts";
import type { ApiDependencies, Route } from "./route.ts";

const NONCE_BYTES = 16;
/** Below /assets/, whose names carry a hash of what is in them. */
const FOR_EVER = "public, max-age=31536000, immutable";
const FOR_AN_HOUR = "public, max-age=3600";

/** True: it was answered. False: the path is none of the dashboard's, or the caller wants no page. */
export function answerByDashboard(
  { dashboard, ...deps }: ApiDependencies,
  routes: readonly Route[],
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  if (dashboard === undefined || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const path = request.url.split("?", 1)[0] ?? "";
  const asset = dashboard.assets.get(path);
  if (asset !== undefined) {
    sendAsset(asset, path.startsWith("/assets/") ? FOR_EVER : FOR_AN_HOUR, request, reply);
    return true;
  }
  if (isOfApi(routes, path) || !wantsPage(request)) return false;
  const nonce = randomBytes(NONCE_BYTES).toString("base64");
  const withStripe = deps.sandboxUrl === undefined && Object.keys(deps.publishableKeys ?? {}).length > 0;
  reply
    .headers(pageHeaders({ nonce, sandboxUrl: deps.sandboxUrl, withStripe }))
    .header("vary", "Accept")
    .type("text/html; charset=utf-8");
  if (dashboard.page === undefined) void reply.status(503).send(NOT_BUILT);
  else void reply.send(filled(dashboard.page, nonce, deps));
  return true;
}

function sendAsset(asset: DashboardAsset, kept: string, request: FastifyRequest, reply: FastifyReply): void {
  const { body, encoding } = encoded(asset, request.headers["accept-encoding"] ?? "");
  if (encoding !== undefined) reply.header("content-encoding", encoding);
  void reply
    .type(asset.contentType)
    .header("cache-control", kept)
    .header("vary", "Accept-Encoding")
    .header("cross-origin-resource-policy", "same-origin")
    .send(body);
}

/** Below these names stand the API's addresses alone: a mistyped one is answered as an API answers. */
function isOfApi(routes: readonly Route[], path: string): boolean {
  const [, first = ""] = path.split("/");
  return routes.some((route) => route.path.split("/")[1] === first) && first !== "";
}

const wantsPage = ({ headers }: FastifyRequest): boolean => /\btext\/html\b/i.test(headers.accept ?? "");

type Settings = Pick<ApiDependencies, "livemode" | "sandboxUrl" | "mail" | "version">;

/** What the page must know before its first request, in a <meta>: the policy lets no inline script run. */
function filled(page: string, nonce: string, { livemode, sandboxUrl, mail, version }: Settings): string {
  const settings = { product_name: mail.productName ?? null, livemode, sandbox_url: sandboxUrl ?? null, version };
  return page
    .replace("{{nonce}}", () => nonce)
    .replace("{{settings}}", () => attribute(JSON.stringify(settings)))
    .replaceAll("{{title}}", () => attribute(mail.productName ?? "Billhook"));
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const attribute = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

const NOT_BUILT = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Billhook: the dashboard is not built</title></head><body>
<h1>The dashboard is not built</h1><p>The API works. For the dashboard run these in the clone, and start again:</p>
<pre>npm ci
npm run build:dashboard</pre><p><a href="/api/docs">API reference</a></p></body></html>
`;
