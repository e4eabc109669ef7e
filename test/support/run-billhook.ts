// `billhook` with arguments, as a child process that ends by itself.
import { spawn } from "node:child_process";
import { join } from "node:path";

import { compileCache } from "./compile-cache.ts";

const LAUNCHER = join(import.meta.dirname, "../../bin/billhook.mjs");

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Only what is given is in its environment. */
export function runBillhook(
  args: readonly string[],
  env: Record<string, string | undefined>,
  cwd?: string,
): Promise<Ended> {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { PATH, HOME, ...compileCache(), NODE_ENV: "test", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, out: out.join(""), err: err.join("") });
    });
  });
}
