// Runs the app without Next: bundles its pages and routes, and serves them as Next would, rendered in the browser alone.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { build, type BuildOptions } from "esbuild";

export interface ExampleOptions {
  port: number;
  /** Where Billhook runs, for this server and for browsers. */
  billhookUrl: string;
  /** `sk_test_…` of the tenant that sells. */
  secretKey: string;
}

export interface Example {
  url: string;
  close(): Promise<void>;
}

type Route = (request: Request) => Promise<Response>;

export async function serveExample({ port, billhookUrl, secretKey }: ExampleOptions): Promise<Example> {
  const settings = { BILLHOOK_URL: billhookUrl, BILLHOOK_SECRET_KEY: secretKey };
  const [pages, routes] = await Promise.all([bundlePages(billhookUrl), bundleRoutes(settings)]);
  const server = createServer((request, response) => {
    answer(request, response, pages, routes).catch((error: unknown) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const HERE = import.meta.dirname;
const KIT = join(HERE, "../../kit");
/** In Billhook's own repository its sources are used, elsewhere the installed package. */
const alias: Record<string, string> = existsSync(KIT)
  ? { "billhook/client": join(KIT, "client/client.ts"), "billhook/react": join(KIT, "react/react.ts") }
  : {};
const COMMON = { bundle: true, write: false, format: "esm", alias, logLevel: "error", absWorkingDir: HERE } as const;

/** Of `/dashboard/credits`: its script, and the pieces that scripts share, by address. */
async function bundlePages(billhookUrl: string): Promise<Map<string, string>> {
  const files = globSync("app/**/page.tsx", { cwd: HERE });
  const options: BuildOptions = {
    ...COMMON,
    entryPoints: files.map((file) => ({ in: `entry:${file}`, out: addressOf(file) })),
    outdir: "/",
    splitting: true,
    minify: true,
    jsx: "automatic",
    platform: "browser",
    define: {
      "process.env.NODE_ENV": '"production"',
      "process.env.NEXT_PUBLIC_BILLHOOK_URL": JSON.stringify(billhookUrl),
    },
    plugins: [
      {
        name: "pages",
        setup: (bundler) => {
          bundler.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice(6), namespace: "entry" }));
          bundler.onLoad({ filter: /./, namespace: "entry" }, ({ path }) => ({
            contents: mounting(path),
            resolveDir: HERE,
          }));
        },
      },
    ],
  };
  const { outputFiles = [] } = await build(options);
  return new Map(outputFiles.map((file) => [file.path.replaceAll("\\", "/"), file.text]));
}

const addressOf = (file: string): string => file.replace(/^app\//, "").replace(/\/?page\.tsx$/, "") || "home";

const mounting = (file: string): string => `
  import { createRoot } from "react-dom/client";
  import { createElement } from "react";
  import Template from "./app/template.tsx";
  import Page from "./${file}";
  createRoot(document.body).render(createElement(Template, null, createElement(Page)));
`;

/** What answers `POST /api/billing-session`, by its name. */
async function bundleRoutes(settings: Record<string, string>): Promise<Map<string, Route>> {
  const define = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`process.env.${name}`, JSON.stringify(value)] as const),
  );
  const routes = new Map<string, Route>();
  for (const file of globSync("app/api/**/route.ts", { cwd: HERE })) {
    const { outputFiles } = await build({ ...COMMON, entryPoints: [file], platform: "node", define });
    const code = Buffer.from(outputFiles.map(({ text: piece }) => piece).join("")).toString("base64");
    const methods = (await import(`data:text/javascript;base64,${code}`)) as Record<string, Route>;
    const path = file.replace(/^app/, "").replace(/\/route\.ts$/, "");
    for (const [method, route] of Object.entries(methods)) routes.set(`${method} ${path}`, route);
  }
  return routes;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ReadonlyMap<string, string>,
  routes: ReadonlyMap<string, Route>,
): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const path = pathname.replace(/(.)\/$/, "$1");
  const route = routes.get(`${request.method ?? ""} ${path}`);
  if (route !== undefined) return answerRoute(request, response, route);
  const script = pages.get(path);
  if (script !== undefined) {
    response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" }).end(script);
    return;
  }
  const page = `${path === "/" ? "/home" : path}.js`;
  response.writeHead(pages.has(page) ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(
    `<!doctype html><html lang="en"><title>Example app</title><body></body><script type="module" src="${page}"></script></html>`,
  );
}

async function answerRoute(request: IncomingMessage, response: ServerResponse, route: Route): Promise<void> {
  const { cookie = "" } = request.headers;
  const body = await text(request);
  const asked = new Request(`http://localhost${request.url ?? "/"}`, {
    method: request.method ?? "GET",
    headers: { cookie },
    ...(body === "" ? {} : { body }),
  });
  const { status, headers, ...said } = await route(asked).then(async (answered) => ({
    status: answered.status,
    headers: answered.headers,
    body: await answered.text(),
  }));
  response.writeHead(status, Object.fromEntries(headers)).end(said.body);
}

if (process.argv[1] === import.meta.filename) {
  const { PORT = "3000", BILLHOOK_URL = "http://localhost:8000", BILLHOOK_SECRET_KEY = "" } = process.env;
  if (BILLHOOK_SECRET_KEY === "") throw new Error("set BILLHOOK_SECRET_KEY: the README says where it comes from");
  const { url } = await serveExample({
    port: Number(PORT),
    billhookUrl: BILLHOOK_URL,
    secretKey: BILLHOOK_SECRET_KEY,
  });
  console.log(`The example app is at ${url}`);
}
