// The version of this build, read from the package. Sources lie less deep below it than what is built of them.
import { existsSync, readFileSync } from "node:fs";

/** Ends with a slash. */
export const PACKAGE_ROOT = [new URL("../../", import.meta.url), new URL("../../../", import.meta.url)].find((folder) =>
  existsSync(new URL("package.json", folder)),
) as URL;

export function readVersion(): string {
  const description: unknown = JSON.parse(readFileSync(new URL("package.json", PACKAGE_ROOT), "utf8"));
  const found = typeof description === "object" && description !== null && "version" in description;
  return found && typeof description.version === "string" ? description.version : "unknown";
}
