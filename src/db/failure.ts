// What a database error means for the work that met it. Source: PostgreSQL's error codes (appendix A of its manual).

/**
 * conflict: two transactions met; the same work succeeds when it is tried again ·
 * unavailable: no connection, no room, a server that stops: nothing to do with this work ·
 * content: this work is what the database refuses
 */
export type DatabaseFailure = "conflict" | "unavailable" | "content";

export function databaseFailure(error: unknown): DatabaseFailure {
  const code = codeOf(error);
  if (code === undefined) return "content";
  if (code === "40001" || code === "40P01" || code === "55P03") return "conflict";
  // 08 connection, 53 resources, 57 operator intervention, 58 system error; a read-only standby after a failover is 25006.
  if (/^(08|53|57|58)/.test(code) || code === "25006") return "unavailable";
  return SQLSTATE.test(code) ? "content" : "unavailable";
}

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** An SQLSTATE, or Node's code of a broken socket (ECONNRESET, …). pg reports some breaks without a code. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return /^Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
    error.message,
  )
    ? "08006"
    : undefined;
}
