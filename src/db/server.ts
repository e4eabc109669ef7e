// A PostgreSQL server as the database: what it must be before money is trusted to it.
import { type Database, databaseOnPool, type Queryable } from "./database.ts";

export interface ServerOptions {
  url: string;
  /** Connections at most. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  name?: string;
}

/**
 * A machine that is gone says nothing: asked after ten seconds without a byte, and given up some ten later. While a statement is
 * on its way unacknowledged the system does not ask, but sends it again, on Linux for a quarter of an hour.
 */
export const SILENCE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const;

/**
 * A query over many partitions looks so dear that it would be compiled, which takes longer than to run it. The others are for
 * the day on which our own machine is gone: what its transactions hold is free after half a minute. A server by itself asks a
 * silent client after two hours, and one that works or waits for a lock does not look whether somebody still waits for it.
 */
const SETTINGS_OF_SESSION = [
  "jit = off",
  "tcp_keepalives_idle = 10",
  "tcp_keepalives_interval = 5",
  "tcp_keepalives_count = 3",
  "tcp_user_timeout = 30000",
  "client_connection_check_interval = 10000",
];

const OLDEST = 150_000;

/** Connects, and refuses a server that could lose what it has acknowledged, or that is too old. */
export async function openServer(options: ServerOptions): Promise<Database> {
  const database = databaseOnPool("server", {
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.name ?? "billhook",
    connectionTimeoutMillis: 10_000,
    ...SILENCE,
    // A transaction's statements follow each other without waiting; an error makes those behind it fail, and rolls back.
    pipeline: true,
    // Sent ahead of whatever comes, each on its own: a server that cannot do one of them does the others.
    onConnect: (client) => {
      for (const setting of SETTINGS_OF_SESSION) client.query(`set ${setting}`).catch(() => undefined);
    },
  });
  try {
    await refuseUnsafeServer(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** An answer of 200 means "on disk": with fsync or synchronous_commit off that would be a lie. */
async function refuseUnsafeServer(database: Queryable): Promise<void> {
  const { rows } = await database.query<{
    version: number;
    version_name: string;
    fsync: string;
    synchronous_commit: string;
  }>(SETTINGS);
  const server = rows[0];
  if (server === undefined) throw new Error("The database did not tell its settings.");
  if (server.version < OLDEST) {
    throw new Error(
      `PostgreSQL ${server.version_name} is too old: Billhook needs 15 or newer. Upgrade the server, or unset DATABASE_URL.`,
    );
  }
  if (server.fsync !== "on") {
    throw new Error(
      "The database runs with fsync = off: a power cut would lose answered events. Set fsync = on and restart it.",
    );
  }
  if (server.synchronous_commit === "off") {
    throw new Error(
      "The database runs with synchronous_commit = off: a crash would lose answered events. Set it to on (or local) for this role and database.",
    );
  }
}

const SETTINGS = `
  select current_setting('server_version_num')::int as version, current_setting('server_version') as version_name,
         current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit`;
