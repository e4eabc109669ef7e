// The built dashboard in memory: each file under its address, with the compressed copies that the build made. Read once, at start.
import { existsSync, globSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

export interface DashboardAsset {
  contentType: string;
  bytes: Buffer;
  brotli: Buffer | undefined;
  gzip: Buffer | undefined;
}

export interface Dashboard {
  /** By address: `/assets/main-1a2b3c.js`. What is not in this table is no file, whatever a path looks like. */
  assets: ReadonlyMap<string, DashboardAsset>;
  /** index.html with its placeholders; undefined: it is not built. */
  page: string | undefined;
}

const CONTENT_TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export function readDashboard(folder: string): Dashboard {
  const index = join(folder, "index.html");
  if (!existsSync(index)) return { assets: new Map(), page: undefined };
  const assets = new Map<string, DashboardAsset>();
  for (const name of globSync("**/*.*", { cwd: folder })) {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) continue;
    const path = join(folder, name);
    assets.set(`/${name.replaceAll("\\", "/")}`, {
      contentType,
      bytes: readFileSync(path),
      brotli: existsSync(`${path}.br`) ? readFileSync(`${path}.br`) : undefined,
      gzip: existsSync(`${path}.gz`) ? readFileSync(`${path}.gz`) : undefined,
    });
  }
  return { assets, page: readFileSync(index, "utf8") };
}

/** The smallest form that the browser takes. */
export function encoded(
  { bytes, brotli, gzip }: DashboardAsset,
  acceptEncoding: string,
): { body: Buffer; encoding: string | undefined } {
  const takes = (name: string): boolean =>
    new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(\\.0*)?(\\s*,|\\s*$))`, "i").test(acceptEncoding);
  if (brotli !== undefined && takes("br")) return { body: brotli, encoding: "br" };
  if (gzip !== undefined && takes("gzip")) return { body: gzip, encoding: "gzip" };
  return { body: bytes, encoding: undefined };
}
