// Files of environment variables: one is set, whatever else stands in them stays.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";

import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";

import { readEnvVariable, withVariable, writeEnvVariable } from "./env-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "billhook-env-file-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const file = (): string => join(folder, ".env");

it("a variable is added, changed where it stands last, and read back; the file is its user's alone", async () => {
  await writeEnvVariable(file(), "ONE", "whsec_1");
  expect(readFileSync(file(), "utf8")).toBe("ONE=whsec_1\n");
  writeFileSync(file(), '# ours\nTWO="a b"\nexport ONE=old\n ONE = older # why\nTHREE=3');
  chmodSync(file(), 0o644);
  await writeEnvVariable(file(), "ONE", "whsec_2,whsec_1");
  expect(readFileSync(file(), "utf8")).toBe('# ours\nTWO="a b"\nexport ONE=old\nONE=whsec_2,whsec_1\nTHREE=3');
  expect(await readEnvVariable(file(), "ONE")).toBe("whsec_2,whsec_1");
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual([".env"]);
});

it("a link is followed, and a file whose form hides the line is left as it is", async () => {
  writeFileSync(join(folder, "real"), "TWO=2\n");
  symlinkSync(join(folder, "real"), file());
  await writeEnvVariable(file(), "ONE", "1");
  expect(readFileSync(join(folder, "real"), "utf8")).toBe("TWO=2\nONE=1\n");
  const open = 'TWO="begins\n';
  writeFileSync(join(folder, "real"), `${open}ONE=inside the quotes\n"\n`);
  await expect(writeEnvVariable(file(), "ONE", "1")).rejects.toThrow("set it there yourself");
  expect(readFileSync(join(folder, "real"), "utf8")).toContain("inside the quotes");
  expect(await readEnvVariable(join(folder, "none"), "ONE")).toBeUndefined();
});

it("a mark at the beginning of the file hides no variable, and goes when one is written", async () => {
  writeFileSync(file(), "\uFEFFONE=old\r\nTWO=2\r\n");
  expect(await readEnvVariable(file(), "ONE")).toBe("old");
  await writeEnvVariable(file(), "ONE", "new");
  expect(readFileSync(file(), "utf8")).toBe("ONE=new\r\nTWO=2\r\n");
});

it("of any file the other variables keep their values", () => {
  const name = fc.constantFrom("ONE", "TWO", "THREE", "STRIPE_WEBHOOK_SECRET");
  const entry = fc.tuple(name, fc.stringMatching(/^[\w,.:/-]{0,12}$/)).map(([key, value]) => `${key}=${value}`);
  const lines = fc.array(fc.oneof(entry, fc.constantFrom("", "# a comment", "  # another")));
  fc.assert(
    fc.property(lines, fc.constantFrom("\n", "\r\n"), (given, ending) => {
      const text = given.join(ending);
      const after = parseEnv(withVariable(text, "STRIPE_WEBHOOK_SECRET", "whsec_new"));
      expect(after).toEqual({ ...parseEnv(text), STRIPE_WEBHOOK_SECRET: "whsec_new" });
    }),
  );
});
