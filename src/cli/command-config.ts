// The configuration of a command that serves nothing: it needs no Stripe key, and may name a server.
import type { Config } from "../config.ts";
import { loadConfig, loadEnvironment } from "../config.ts";
import { misused } from "./command-failure.ts";

export interface CommandConfig {
  config: Config;
  /** From --url or BILLHOOK_URL, without a slash at its end; undefined: find out. */
  serverUrl: string | undefined;
}

export function readCommandConfig(url: string | undefined): CommandConfig {
  const config = loadConfig({}, { serving: false });
  const asked = url ?? loadEnvironment().BILLHOOK_URL;
  return { config, serverUrl: asked === undefined || asked.trim() === "" ? undefined : checked(asked.trim()) };
}

function checked(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== "" || parsed.hash !== "") {
    throw misused(`"${url}" is no address of a server: give it as http://127.0.0.1:8000.`);
  }
  return parsed.href.replace(/\/+$/, "");
}

/** Whether the stack of an error is wanted. Never throws: it is asked about another failure. */
export function wantsStack(): boolean {
  let debug: string;
  try {
    debug = loadEnvironment().DEBUG ?? "";
  } catch {
    // The file of variables cannot be read, which whoever needs it says.
    return false;
  }
  return debug !== "" && debug !== "0" && debug !== "false";
}
