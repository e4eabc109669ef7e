// A folder on a disk, where writing and syncing take their time: the system's temporary folder may be memory (vitest.config.ts).
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder; whoever asks takes it away. */
export function folderOnDisk(prefix: string): string {
  return mkdtempSync(join(process.env.BILLHOOK_TEST_DISK ?? tmpdir(), prefix));
}
