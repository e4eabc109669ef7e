// The typed client of Billhook's API: every route by its path, answers by their types, failures as BillhookError.
import createClient, {
  type Client,
  type ClientPathsWithMethod,
  type FetchOptions,
  type MaybeOptionalInit,
} from "openapi-fetch";

import { IDEMPOTENT, type paths } from "../generated/api.ts";
import { BillhookError, refusalOf, unreachable } from "./billhook-error.ts";
import { keptTokens, type Tokens, type TokenSource } from "./tokens.ts";

export interface ClientOptions {
  /** Where Billhook runs: `https://billing.example.com`. */
  baseUrl: string;
  /** Left out: for routes that are for anyone. */
  token?: TokenSource | undefined;
  /** For a person with several tenants: `ten_…`. */
  tenant?: string | undefined;
  /** For a person; a key or an account session has its own. */
  mode?: "live" | "test" | undefined;
  /** How often a call that may be sent again is, when nobody answers or the server asks for it; 2 unless it is set. */
  retries?: number | undefined;
  fetch?: ((request: Request) => Promise<Response>) | undefined;
}

type Method = "get" | "post" | "patch" | "delete";
type PathsWith<M extends Method> = ClientPathsWithMethod<Client<paths>, M>;
type Init<Path extends PathsWith<M>, M extends Method> = MaybeOptionalInit<paths[Path], M>;

/** The bodies of an operation's good answers, which are JSON; undefined for one without a body. */
type Answered<Operation> = Operation extends { responses: infer Answers }
  ? BodyOf<Answers, keyof Answers & Good>
  : never;
type Good = 200 | 201 | 202;
type BodyOf<Answers, Status extends keyof Answers> = Status extends Status
  ? Answers[Status] extends { content: { "application/json": infer Body } }
    ? Body
    : undefined
  : never;

/** Resolves to the answer's body. Throws BillhookError. */
export type Call<M extends Method> = <Path extends PathsWith<M>, I extends Init<Path, M>>(
  path: Path,
  ...init: undefined extends Init<Path, M> ? [init?: I] : [init: I]
) => Promise<Answered<paths[Path][M]>>;

export interface BillhookClient {
  readonly baseUrl: string;
  get: Call<"get">;
  /** With an Idempotency-Key of its own, unless `params.header` names one. */
  post: Call<"post">;
  patch: Call<"patch">;
  delete: Call<"delete">;
  /** The bearer token that calls are sent with now; for what is asked without the client. */
  tokens: Tokens;
}

const MAY_BE_SENT_AGAIN = new Set(["GET", "HEAD"]);
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10_000;

export function billhook(options: ClientOptions): BillhookClient {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const tokens = keptTokens(options.token);
  const client = createClient<paths>({
    baseUrl,
    headers: {
      ...(options.tenant === undefined ? {} : { "billhook-tenant": options.tenant }),
      ...(options.mode === undefined ? {} : { "billhook-mode": options.mode }),
    },
    fetch: (request) => sent(request, tokens, options),
  });
  client.use({
    onRequest: ({ request, schemaPath }) => {
      if (!IDEMPOTENT.has(`${request.method} ${schemaPath}`)) return undefined;
      if (!request.headers.has("idempotency-key")) request.headers.set("idempotency-key", crypto.randomUUID());
      return request;
    },
  });
  const run = async (method: Method, path: never, init: FetchOptions<unknown> | undefined): Promise<unknown> => {
    const { data, error, response } = await client.request(method, path, init as never);
    if (!response.ok) throw refusalOf(response, error);
    return data;
  };
  // openapi-fetch checks a call's types where it is written: here every route goes the same way.
  const call = <M extends Method>(method: M): Call<M> =>
    ((path: never, init?: FetchOptions<unknown>) => run(method, path, init)) as unknown as Call<M>;
  return { baseUrl, tokens, get: call("get"), post: call("post"), patch: call("patch"), delete: call("delete") };
}

/** The answer, whatever its status. Throws BillhookError `unreachable`. */
async function sent(
  request: Request,
  tokens: Tokens,
  { retries = 2, fetch = globalThis.fetch }: ClientOptions,
): Promise<Response> {
  const again = MAY_BE_SENT_AGAIN.has(request.method) || request.headers.has("idempotency-key") ? retries : 0;
  const withToken = async (token: string | undefined): Promise<Response> => {
    const copy = request.clone();
    if (token !== undefined) copy.headers.set("authorization", `Bearer ${token}`);
    return fetch(copy);
  };
  for (let failures = 0; ; failures++) {
    const outcome = await attempt(tokens, withToken, request.signal);
    const isLast = failures >= again;
    if (outcome instanceof BillhookError) {
      if (isLast || request.signal.aborted) throw outcome;
      await pause(waitAfter(failures), request.signal);
      continue;
    }
    const wait = isLast ? undefined : waitAsked(outcome, failures);
    if (wait === undefined) return outcome;
    await outcome.body?.cancel();
    await pause(wait, request.signal);
  }
}

async function attempt(
  tokens: Tokens,
  send: (token: string | undefined) => Promise<Response>,
  signal: AbortSignal,
): Promise<Response | BillhookError> {
  try {
    const token = await tokens.current();
    const response = await send(token);
    if (response.status !== 401) return response;
    // It was refused before anything was done.
    const fresh = await tokens.renewed(token);
    return fresh === undefined ? response : await send(fresh);
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof BillhookError ? error : unreachable(error);
  }
}

/** Milliseconds after which the same call may succeed; undefined: this is its answer. */
function waitAsked({ status, headers }: Response, failures: number): number | undefined {
  if (status !== 429 && status !== 502 && status !== 503 && status !== 504) return undefined;
  const asked = Number(headers.get("retry-after") ?? 0) * 1000;
  const wait = Math.max(waitAfter(failures), asked);
  return wait > LONGEST_WAIT_MS ? undefined : wait;
}

const waitAfter = (failures: number): number => FIRST_WAIT_MS * 2 ** failures * (1 + Math.random() / 2);

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError"));
      },
      { once: true },
    );
  });
}
