// What a database error means for the work that met it. Source: PostgreSQL's error codes (appendix A of its manual).

/**
 * conflict: two transactions met; the same work succeeds when it is tried again ·
 * unavailable: no connection, no room, no right, a schema that this build does not fit: nothing to do with this work ·
 * content: this work is what the database refuses, or our own code failed on it
 */
export type DatabaseFailure = "conflict" | "unavailable" | "content";

export function databaseFailure(error: unknown): DatabaseFailure {
  if (!(error instanceof Error)) return "content";
  const code = codeOf(error);
  if (CONFLICTS.has(code)) return "conflict";
  if (isPoolersRefusal(error, code)) return "unavailable";
  if (OF_THIS_WORK.has(code)) return "content";
  const unavailable = UNAVAILABLE.test(code) || SOCKET_CODES.has(code) || LOST_CONNECTION.test(error.message);
  return unavailable ? "unavailable" : "content";
}

/**
 * Whether the error is the end of a connection, and of this one alone as far as it says: the work on it may be the reason.
 * Not where the server says that it ends them all, for another one's crash (57P02) or because it starts (57P03).
 */
export function isLostConnection(error: unknown): error is Error {
  if (!(error instanceof Error) || databaseFailure(error) !== "unavailable") return false;
  const code = codeOf(error);
  return /^08|^57P01$/.test(code) || SOCKET_CODES.has(code) || LOST_CONNECTION.test(error.message);
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Whether what failed together may succeed in parts: one item may be what the database refuses. */
export function isItemsFault(error: unknown): boolean {
  return databaseFailure(error) === "content" && !isStatementsFault(error);
}

/**
 * Whether the error is about the statement, and about nothing that it carries: tried in parts, each part would wait as long
 * again. Whoever asked for it may ask again.
 */
export function isStatementsFault(error: unknown): boolean {
  return error instanceof Error && OF_THE_STATEMENT.has(codeOf(error));
}

/** PgBouncer says with this one code that the server is away or that nobody was free in time, and closes the connection. */
function isPoolersRefusal(error: Error, code: string): boolean {
  return code === "08P01" && "severity" in error && error.severity === "FATAL";
}

/** Serialization failure, deadlock, lock not available. */
const CONFLICTS: ReadonlySet<string> = new Set(["40001", "40P01", "55P03"]);
/** Of classes that are otherwise the server's: a message that it cannot read, a statement that was canceled or is too large. */
const OF_THIS_WORK: ReadonlySet<string> = new Set(["08P01", "57014", "53200", "54000"]);
/** Of those: it took longer than `statement_timeout` or was canceled; there was no memory for it. */
const OF_THE_STATEMENT: ReadonlySet<string> = new Set(["57014", "53200"]);
/** 08 connection, 25006 a standby, 26 and 0A a statement prepared for another schema, 28 and 42 rights and names, 3D no such database, 53 resources, 57P shutdown, 58 system. */
const UNAVAILABLE = /^(08|26|28|3D|42|53|57P|58)[0-9A-Z]{3}$|^25006$|^0A000$|^57P/;
const SOCKET_CODES: ReadonlySet<string> = new Set(
  "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ENOENT".split(" "),
);
/** pg reports some breaks without a code. */
const LOST_CONNECTION =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Query read timeout|Cannot use a pool after)/;
