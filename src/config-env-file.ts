// The `.env` file of the working folder, under the process's environment.
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

import { withoutByteOrderMark } from "./base/text.ts";

const FILE = ".env";

/** Without a file: none. */
export function envFileVariables(): Readonly<Record<string, string | undefined>> {
  return existsSync(FILE) ? parseEnv(withoutByteOrderMark(readFileSync(FILE, "utf8"))) : {};
}
