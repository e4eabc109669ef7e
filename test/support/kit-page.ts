// A page with one part of the React kit on it, for a browser: bundled from the sources, on a server that also answers for Billhook.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");

export interface KitPage {
  url: string;
  close(): Promise<void>;
}

/** `program` is the page's script, in TSX. What is asked of other paths than `/` goes to `reply`. */
export async function openKitPage(
  program: string,
  reply: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<KitPage> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: ROOT, loader: "tsx" },
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    platform: "browser",
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "error",
  });
  const script = outputFiles.map(({ text }) => text).join("");
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/page.js") response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" }).end(script);
    else if (path === "/") response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(HTML);
    else reply(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const HTML = `<!doctype html><html lang="en"><title>Kit</title><div id="root"></div><script type="module" src="/page.js"></script></html>`;
