// The `.env` file of the working folder, under the process's environment.
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

import { ConfigError } from "./base/config-error.ts";
import { withoutByteOrderMark } from "./base/text.ts";

const FILE = ".env";

/** Without a file: none. Throws a ConfigError where there is one that cannot be read. */
export function envFileVariables(): Readonly<Record<string, string | undefined>> {
  return existsSync(FILE) ? parseEnv(withoutByteOrderMark(textOfFile())) : {};
}

function textOfFile(): string {
  try {
    return readFileSync(FILE, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const problem =
      code === "EISDIR"
        ? "it is a folder in the working folder, not a file of variables: move it away, or start elsewhere."
        : `it stands in the working folder and cannot be read (${code}): let this user read it, or move it away.`;
    throw new ConfigError([{ variable: FILE, problem }]);
  }
}
