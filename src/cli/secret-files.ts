// Secrets that Billhook makes for itself: files in DATA_DIR that only its user can read.
import { randomBytes } from "node:crypto";
import { chmod, link, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { Secret } from "../base/secret.ts";
import type { WebhookSecret } from "../config.ts";
import { makeDataFolder } from "../db/make-folder.ts";

const OWNER_ONLY = 0o600;

/**
 * The text of the secret file at `path`; where there is none, `make` makes it. Of several processes that come at once one
 * wins, and all of them read its text. Never a half-written file: it is written beside, synced, and linked into place.
 */
export async function ensureSecretFile(path: string, make: () => string): Promise<string> {
  makeDataFolder(dirname(path));
  const found = await readSecretFile(path);
  if (found !== undefined) return found;
  const text = make();
  const draft = `${path}.${String(process.pid)}.${randomBytes(6).toString("hex")}`;
  await writeSynced(draft, text);
  try {
    await putInPlace(draft, path, text);
  } finally {
    await unlink(draft);
  }
  await syncFolder(dirname(path));
  const written = await readSecretFile(path);
  if (written === undefined) throw new Error(`${path} was removed while it was being made: start again`);
  return written;
}

/** The secrets that sign events while no endpoint of Stripe's is configured, by the variable that each stands in for. */
export async function ensureWebhookSecrets(dataDir: string): Promise<WebhookSecret[]> {
  const path = join(dataDir, "webhook-secrets.json");
  const text = await ensureSecretFile(path, () => {
    const make = (): string => `whsec_${randomBytes(32).toString("base64url")}`;
    return `${JSON.stringify({ STRIPE_CONNECT_WEBHOOK_SECRET: make(), STRIPE_WEBHOOK_SECRET: make() }, null, 2)}\n`;
  });
  const broken = new Error(`${path} is not what Billhook wrote: remove it, and new secrets are made at the next start`);
  const stored = parsed(text);
  if (typeof stored !== "object" || stored === null) throw broken;
  const secrets = Object.entries(stored).map(([variable, secret]: [string, unknown]) => {
    if (typeof secret !== "string" || secret.length < 16) throw broken;
    return { secret: new Secret(secret), variable };
  });
  if (secrets.length === 0) throw broken;
  return secrets;
}

/** The operator's token while OPERATOR_TOKEN is not set. */
export async function ensureOperatorToken(dataDir: string): Promise<Secret> {
  const path = join(dataDir, "operator-token");
  const token = (await ensureSecretFile(path, () => `${randomBytes(32).toString("base64url")}\n`)).trim();
  if (token.length < 16)
    throw new Error(
      `${path} holds no token of at least 16 characters: remove it, and a new one is made at the next start`,
    );
  return new Secret(token);
}

/** What stands in for SECRET_KEY while it is not set. */
export async function ensureSecretKey(dataDir: string): Promise<Secret> {
  const path = join(dataDir, "secret-key");
  const key = (await ensureSecretFile(path, () => `${randomBytes(32).toString("base64url")}\n`)).trim();
  if (key.length < 32) {
    throw new Error(`${path} holds no key of at least 32 characters: restore it, or set SECRET_KEY`);
  }
  return new Secret(key);
}

/** Undefined where there is no file. A file that others may read is closed to them; an empty one is an error, never a secret. */
async function readSecretFile(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  if (text.trim() === "") throw new Error(`${path} is empty: remove it, and it is made anew at the next start`);
  if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) await chmod(path, OWNER_ONLY);
  return text;
}

/** A link, unlike a rename, never replaces what another process has put there first. */
async function putInPlace(draft: string, path: string, text: string): Promise<void> {
  try {
    await link(draft, path).catch((error: unknown) => {
      // Some network and FUSE file systems have no links: there the file is made in place.
      if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(String(codeOf(error)))) return writeSynced(path, text);
      throw error;
    });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders; its file systems keep a link without it.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The caller's sentence says what to do; the parser's would quote the secret.
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
