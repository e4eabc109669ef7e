// How a command fails: one sentence on stderr that says what to do, or the API's error shape with --json, and an exit code.
import { CommanderError } from "commander";

import { ConfigError } from "../base/config-error.ts";
import { PublicError } from "../base/errors.ts";
import { scrub } from "../base/log.ts";

export const EXIT = { done: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The API's error shape; `request_id` only where a server answered. */
export interface FailureBody {
  error: string;
  code: string;
  message: string;
  param?: string;
  request_id?: string;
  /** Of the configuration: each variable with what is wrong. */
  problems?: readonly { variable: string; problem: string }[];
}

export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly body: FailureBody;
  readonly exitCode: ExitCode;
  /** Of the HTTP answer, where Billhook itself gave one. */
  readonly status: number | undefined;

  constructor(body: FailureBody, exitCode: ExitCode = EXIT.failed, cause?: unknown, status?: number) {
    super(body.message, cause === undefined ? undefined : { cause });
    this.body = body;
    this.exitCode = exitCode;
    this.status = status;
  }
}

/** The command cannot do what it was asked. */
export function failed(code: string, error: string, message: string, cause?: unknown): CommandFailure {
  return new CommandFailure({ error, code, message }, EXIT.failed, cause);
}

/** The command was asked wrongly. */
export function misused(message: string): CommandFailure {
  return new CommandFailure({ error: "Wrong usage", code: "usage", message }, EXIT.usage);
}

/** `database`: what names the database that was asked. */
export function asFailure(error: unknown, database = "DATABASE_URL"): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof ConfigError) {
    const { message, problems } = error;
    return new CommandFailure({ error: "Wrong configuration", code: "config", message, problems }, EXIT.usage, error);
  }
  if (error instanceof PublicError) return failed(error.code, error.title, error.message, error);
  if (error instanceof CommanderError) {
    const said = error.message.replace(/^error: /, "").replace(/\n\(Did you mean (\S+)\?\)$/, ": did you mean $1");
    const message = `${said.replace(/[.?]$/, "")}; see \`billhook --help\`.`;
    return new CommandFailure({ error: "Wrong usage", code: "usage", message }, EXIT.usage, error);
  }
  const sentence = sentenceOf(error);
  if (DATABASE_TROUBLE.test(codeOf(error))) {
    const message = `The database does not let this process in (${sentence}): check ${database}, and that the server runs.`;
    return failed("database_unreachable", "Database unreachable", message, error);
  }
  const path = closedPath(error);
  if (path !== undefined) {
    const message = `${path} belongs to another user, or cannot be written here: run as its owner, or give --url with OPERATOR_TOKEN.`;
    return failed("no_access", "No access", message, error);
  }
  return failed("failed", "Failed", sentence, error);
}

/** The file or folder that the system does not let this process into. */
function closedPath(error: unknown): string | undefined {
  if (!/^(EACCES|EPERM|EROFS)$/.test(codeOf(error))) return undefined;
  return error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined;
}

/** Sockets' codes, and PostgreSQL's for a refused login, an unknown database and a server that starts or stops. */
const DATABASE_TROUBLE =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|28P01|28000|3D000|57P03|53300)$/;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** With `--json` one JSON object; else the sentence. The stack of what was thrown only on request. */
export function writeFailure(failure: CommandFailure, { json, stack }: { json: boolean; stack: boolean }): void {
  const text = json ? JSON.stringify(failure.body) : `billhook: ${failure.body.message}`;
  process.stderr.write(`${text}\n`);
  if (!stack) return;
  const thrown = failure.cause instanceof Error ? failure.cause : failure;
  process.stderr.write(`${scrub(thrown.message)}\n${thrown.stack?.replace(/^[^]*?\n(?=\s+at )/, "") ?? ""}\n`);
}

/** Thrown by the language, not for the operator. What fetch throws is a TypeError too, and is caught where it is called. */
function isBug(error: Error): boolean {
  return [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
}

/** What came from below, such as a database that is not there: its own message, without secrets. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return "something that is no error was thrown; set DEBUG=1 for more.";
  // A failed connection to several addresses has no message of its own.
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  const message = error.message === "" && inner instanceof Error ? inner.message : error.message;
  const said = scrub(message === "" ? error.name : message);
  return isBug(error)
    ? `Billhook itself failed (${error.name}: ${said}); run it with DEBUG=1 and report what it prints.`
    : said;
}
