// A file of environment variables: one variable's line changed, all others kept. Only its user can read it afterwards.
import { randomBytes } from "node:crypto";
import { access, chmod, constants, open, readFile, realpath, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { parseEnv } from "node:util";

import { withoutByteOrderMark } from "../base/text.ts";

const OWNER_ONLY = 0o600;

/** Undefined: the file or the variable is not there. */
export async function readEnvVariable(path: string, name: string): Promise<string | undefined> {
  return parseEnv((await textOf(path)) ?? "")[name];
}

/** Rejects where writeEnvVariable would, for each of the names: before something is made that must not be lost. Writes nothing. */
export async function mustTakeVariables(path: string, names: readonly string[]): Promise<void> {
  const file = await realpath(path).catch(() => path);
  let text = (await textOf(file)) ?? "";
  for (const name of names) text = settable(path, text, name, "value");
  // It is written beside, so what counts is the folder.
  await access(dirname(file), constants.W_OK | constants.X_OK);
}

/** Never leaves a half-written file: it is written beside, synced, and renamed into place. `value` has no white space or quotes. */
export async function writeEnvVariable(path: string, name: string, value: string): Promise<void> {
  if (!/^[^\s"'`#\\]+$/.test(value)) throw new Error(`the value of ${name} cannot be written into a file`);
  // A link is followed: what it names is changed, and the link stays.
  const file = await realpath(path).catch(() => path);
  const text = settable(path, (await textOf(file)) ?? "", name, value);
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    const handle = await open(draft, "wx", OWNER_ONLY);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined); // It may not have been made.
    throw error;
  }
  await chmod(file, OWNER_ONLY);
}

function settable(path: string, before: string, name: string, value: string): string {
  const text = withVariable(before, name, value);
  if (parseEnv(text)[name] === value) return text;
  throw new Error(`${path} has a form in which ${name} cannot be set: set it there yourself`);
}

/** The last line that sets the variable counts, so it is the one that is changed; without one, a line is added. Pure. */
export function withVariable(text: string, name: string, value: string): string {
  const lines = text.split("\n");
  const sets = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`);
  const index = lines.findLastIndex((line) => sets.test(line));
  const line = `${name}=${value}`;
  if (index >= 0) {
    const ending = lines[index]?.endsWith("\r") === true ? "\r" : "";
    return lines.with(index, `${line}${ending}`).join("\n");
  }
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return withoutByteOrderMark(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
