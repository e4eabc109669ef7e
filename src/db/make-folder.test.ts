// A folder for data is made with all that is missing above it, or the operator is told what to do.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, it } from "vitest";

import { makeDataFolder } from "./make-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-folder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("what is missing is made, for its user alone, and what is there is left as it is", () => {
  const path = join(folder, "one", "two", "three");
  makeDataFolder(path);
  makeDataFolder(path);
  for (const one of ["one", "one/two", "one/two/three"]) {
    expect(statSync(join(folder, one)).isDirectory()).toBe(true);
    expect(statSync(join(folder, one)).mode & 0o777).toBe(0o700);
  }
});

it("where none can be made, that is told at once, and what to set", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "below"), "/proc/nowhere/at/all"])
    expect(() => {
      makeDataFolder(path);
    }, path).toThrow(/^.* can be no folder for data: .*\. Set DATA_DIR to one/);
});
