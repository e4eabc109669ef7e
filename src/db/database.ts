// The database as the rest of Billhook sees it: statements, transactions, one dialect. Embedded and server differ only below this file.
import pg from "pg";

/** A statement as `pg` takes it. With a name it is prepared once per connection: for hot paths only. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
  /**
   * How long to wait for the answer; then it rejects as for a lost connection, and the connection is given up: of a machine
   * that is gone nothing comes. Whether the statement was carried out nobody knows. Ignored embedded, where nothing lies between.
   */
  limitMs?: number;
}

export interface Result<Row> {
  rows: Row[];
  /** Rows returned or touched. */
  rowCount: number;
}

/**
 * What code inside a transaction gets: it can ask, it cannot commit. It may ask without waiting: statements are executed in
 * the order in which they were asked, and behind one that fails all others fail.
 */
export interface Queryable {
  query<Row = Record<string, unknown>>(statement: Statement | string): Promise<Result<Row>>;
}

export interface TransactionOptions {
  /**
   * false: the commit may be lost when the *server* loses power (never when we are killed). Only for work that is
   * repeated anyway, such as a claim. Ignored embedded, where the server dies with us.
   */
  durable?: boolean;
  /**
   * Each named statement is planned once for a connection, and the plan is kept whatever the values are. Only for work whose
   * statements are all look-ups by key: planned for its values, the widest took 6 ms, five times on each connection.
   */
  planOnce?: boolean;
  /** The server ends it for no wait and for no length, whatever its settings are: for work that would only begin again. */
  unhurried?: boolean;
  /** For each of its statements, as in Statement. */
  limitMs?: number;
}

export interface Database extends Queryable {
  readonly kind: "embedded" | "server";
  /** Connections that can work at the same time; 1 embedded. */
  readonly connections: number;
  /**
   * Runs `work` in one transaction: commits when it resolves, rolls back when it throws, and throws what it threw.
   * Embedded there is one session: never ask `Database` itself from inside `work`.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Lets running transactions finish, then closes. */
  close(): Promise<void>;
}

/** PostgreSQL's bigint is read as a number: every bigint of ours is a count, seconds or minor units, all below 2^53. */
function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`a bigint beyond 2^53 was read: ${text}`);
  return value;
}

const BIGINT_OID: number = pg.types.builtins.INT8;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary"): ((text: string) => unknown) =>
    oid === BIGINT_OID && format !== "binary"
      ? parseBigint
      : (pg.types.getTypeParser as (oid: number, format?: string) => (text: string) => unknown)(oid, format),
};

/** Both databases are a `pg` pool: embedded it holds one connection, whose stream leads to the worker thread. */
export function databaseOnPool(kind: Database["kind"], config: pg.PoolConfig, closing?: () => Promise<void>): Database {
  const pool = new pg.Pool({ ...config, types });
  const connections = config.max ?? 10;
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  // One that breaks in the very bytes that opened it has no other listener yet: whoever got it fails at its first statement.
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  const run = async <Row>(
    ask: Ask,
    statement: Statement | string,
    limitMs = typeof statement === "string" ? undefined : statement.limitMs,
  ): Promise<Result<Row>> => {
    const query = typeof statement === "string" ? { text: statement } : statement;
    try {
      const result = await ask(query, kind === "embedded" ? undefined : limitMs);
      return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
    } catch (error) {
      // Most are made where the answer is read: who asked helps more.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    }
  };
  const alone = onOneOf(pool);
  return {
    kind,
    connections,
    query: (statement) => run(alone, statement),
    transaction: async (work, options) => {
      const client = await pool.connect();
      let broken: Error | undefined;
      // A client that is checked out has no listener of the pool's: without one, a lost connection ends the process.
      const lost = (error: Error): void => {
        broken = error;
      };
      client.on("error", lost);
      // What is asked too late must not run behind the commit or the rollback.
      let ended = false;
      // Answers come in order, but a longer chain of promises may hand on a later statement's failure first.
      let first: unknown;
      const ask: Ask = (query, limit) => askInTime(client, query, limit);
      const inside: Ask = async (query, limit) => {
        if (ended) throw new Error("the transaction has ended");
        return ask(query, limit).catch((error: unknown) => {
          first ??= error;
          throw error;
        });
      };
      const inTurn = config.pipeline === true ? inside : oneByOne(inside);
      const limitMs = options?.limitMs;
      try {
        await run(ask, beginning(kind, options), limitMs);
        const result = await work({ query: (statement) => run(inTurn, statement, limitMs) });
        ended = true;
        await run(ask, "commit", limitMs);
        return result;
      } catch (error) {
        ended = true;
        await run(ask, "rollback", limitMs).catch((reason: unknown) => {
          broken = reason as Error;
        });
        throw isConsequence(error) ? (first ?? error) : error;
      } finally {
        client.off("error", lost);
        client.release(broken);
      }
    },
    close: async () => {
      await pool.end();
      await closing?.();
    },
  };
}

/**
 * The same database for whoever cannot wait: from the question on, with the wait for a connection, `limitMs` at most. What was
 * asked may be carried out all the same. Embedded there is no limit.
 */
export function within(database: Database, limitMs: number): Queryable {
  if (database.kind === "embedded") return database;
  return {
    query: <Row>(statement: Statement | string) => {
      const limited = { ...(typeof statement === "string" ? { text: statement } : statement), limitMs };
      return inTime(database.query<Row>(limited), limitMs);
    },
  };
}

/**
 * The same database for work whose statements are short: one without a limit of its own has this one. Without any, a
 * machine that is gone keeps each connection on which something was just said, on Linux for a quarter of an hour. Embedded there is
 * no limit.
 */
export function limitedTo(database: Database, limitMs: number): Database {
  if (database.kind === "embedded") return database;
  return {
    ...database,
    query: (statement) =>
      database.query(typeof statement === "string" ? { text: statement, limitMs } : { limitMs, ...statement }),
    transaction: (work, options) => database.transaction(work, { limitMs, ...options }),
  };
}

async function inTime<Answer>(answer: Promise<Answer>, limitMs: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unanswered());
    }, limitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Ask = (query: pg.QueryConfig, limitMs: number | undefined) => Promise<pg.QueryResult>;

/**
 * Where no answer comes in time, the connection is given up, and all that was asked on it fails. By a callback and a timer of
 * our own: what a query held stayed in memory until the next whole collection where `pg` made the promise, or had the
 * `query_timeout` (decision 0024).
 */
function askInTime(client: pg.PoolClient, query: pg.QueryConfig, limitMs: number | undefined): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    client.query(query, (error: Error | null, result) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(result);
    });
    if (limitMs !== undefined) timer = setTimeout(() => client.connection.stream.destroy(unanswered()), limitMs);
  });
}

/** Each on the next connection that is free. */
function onOneOf(pool: pg.Pool): Ask {
  return async (query, limitMs) => {
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      return await askInTime(client, query, limitMs);
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      // After any failure the next statement gets another connection: prepared for what is no more, it would fail for ever.
      client.release(failure);
    }
  };
}

const unanswered = (): Error => new Error("Query read timeout: no answer in time");

/** "current transaction is aborted": says only that a statement before it failed. */
function isConsequence(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "25P02";
}

/** Without a pipeline: each statement is sent when the one before it has been answered. */
function oneByOne(ask: Ask): Ask {
  let last: Promise<unknown> = Promise.resolve();
  return (query, limitMs) => {
    const answer = last.then(() => ask(query, limitMs));
    // One that fails makes those behind it fail, as in a pipeline; whoever asked it is told.
    last = answer.catch(() => undefined);
    return answer;
  };
}

function beginning(kind: Database["kind"], options: TransactionOptions = {}): string {
  const { durable = true, planOnce = false, unhurried = false } = options;
  return [
    "begin",
    ...(unhurried ? ["set local statement_timeout = 0", "set local lock_timeout = 0"] : []),
    ...(durable || kind === "embedded" ? [] : ["set local synchronous_commit = off"]),
    ...(planOnce ? ["set local plan_cache_mode = force_generic_plan"] : []),
  ].join("; ");
}
