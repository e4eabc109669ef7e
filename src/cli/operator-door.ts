// The operator's routes as commands see them: the same HTTP contract, whether a server answers or this process itself.
import { CommandFailure, EXIT, failed } from "./command-failure.ts";

/** One request and its answer, by whatever way. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>;

export interface TransportRequest {
  method: "GET" | "POST";
  /** With the query. */
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface TransportAnswer {
  status: number;
  chunks: AsyncIterable<Uint8Array>;
}

export interface OperatorDoor {
  /** Where it leads, for people. */
  where: string;
  /** Nobody works on the queue while this command runs: what it enqueues waits for the next start. */
  queueWaits: boolean;
  /** What was answered with 2xx; throws a CommandFailure with the API's error otherwise. */
  call(method: "GET" | "POST", path: string, sent?: Sent): Promise<Answer>;
  /** An answer that is no text, as it comes. */
  bytes(method: "GET" | "POST", path: string, sent?: Sent): Promise<AsyncIterable<Uint8Array>>;
  /** The lines of an NDJSON answer, each as it comes. */
  stream(method: "GET" | "POST", path: string, sent?: Sent): AsyncIterable<unknown>;
  close(): Promise<void>;
}

export interface Answer {
  /** As it came: parsed and written again, numbers beyond 2^53 would change. */
  text: string;
  json: unknown;
}

export interface Sent {
  /** undefined: left out. */
  query?: Readonly<Record<string, string | number | undefined>>;
  body?: unknown;
}

export interface DoorOptions {
  transport: Transport;
  token: string;
  where: string;
  queueWaits: boolean;
  close?: () => Promise<void>;
}

const ADMIN = "/api/v1/admin";

export function operatorDoor({ transport, token, where, queueWaits, close }: DoorOptions): OperatorDoor {
  async function ask(method: "GET" | "POST", path: string, { query = {}, body }: Sent): Promise<TransportAnswer> {
    const answer = await transport({
      method,
      path: `${ADMIN}${path}${queryText(query)}`,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw apiFailure(answer.status, await textOf(answer.chunks), where);
  }
  return {
    where,
    queueWaits,
    call: async (method, path, sent = {}) => {
      const answer = await ask(method, path, sent);
      const text = await textOf(answer.chunks);
      return { text, json: parseAnswer(text, where) };
    },
    bytes: async (method, path, sent = {}) => (await ask(method, path, sent)).chunks,
    stream: async function* (method, path, sent = {}) {
      const answer = await ask(method, path, sent);
      for await (const line of linesOf(answer.chunks)) yield parseAnswer(line, where);
    },
    close: close ?? (() => Promise.resolve()),
  };
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

function parseAnswer(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw strange(where, error);
  }
}

function strange(where: string, cause?: unknown): CommandFailure {
  return failed(
    "not_billhook",
    "Strange answer",
    `${where} did not answer as Billhook does: check the address (--url, BILLHOOK_URL).`,
    cause,
  );
}

/** The API's own words, as they came. */
function apiFailure(status: number, text: string, where: string): CommandFailure {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return strange(where, error);
  }
  if (!isErrorBody(body)) return strange(where);
  const unauthorized = status === 401;
  const message = unauthorized
    ? `The operator token was refused by ${where}: set OPERATOR_TOKEN, or DATA_DIR to the server's own folder.`
    : body.message;
  return new CommandFailure({ ...body, message }, unauthorized ? EXIT.usage : EXIT.failed, undefined, status);
}

function isErrorBody(body: unknown): body is { error: string; code: string; message: string } {
  if (typeof body !== "object" || body === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...body };
  return ["error", "code", "message"].every((name) => typeof fields[name] === "string");
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString("utf8");
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield line;
  }
  if (rest.trim() !== "") yield rest;
}
