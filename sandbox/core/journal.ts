// Keeps the world in a file, so that a restart finds everything: one SQLite table, written with each commit.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { Kind } from "./kinds.ts";
import type { Journal } from "./world.ts";

const FILE = "sandbox.sqlite";

interface StoredObject {
  scope: string;
  kind: string;
  id: string;
  body: string;
}

/** Opens `folder`/sandbox.sqlite, and makes it when it is not there. One process at a time: a second one is refused. */
export function openJournal(folder: string): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, FILE);
  const database = new DatabaseSync(file);
  try {
    database.exec(OPEN);
  } catch (error) {
    database.close();
    throw new Error(
      `The sandbox's file ${file} cannot be opened: another sandbox may be using it. End that one, or use another DATA_DIR.`,
      {
        cause: error,
      },
    );
  }
  const [keep, drop] = [database.prepare(KEEP), database.prepare(DROP)];
  return {
    load: (each) => {
      for (const { scope, kind, id, body } of database.prepare(ALL).iterate() as Iterable<StoredObject>) {
        each({ scope, kind: kind as Kind, id, object: JSON.parse(body) as object });
      }
    },
    append: (changes) => {
      database.exec("BEGIN");
      try {
        for (const { scope, kind, id, object } of changes) {
          if (object === undefined) drop.run(scope, kind, id);
          else keep.run(scope, kind, id, JSON.stringify(object));
        }
        database.exec("COMMIT");
      } catch (error) {
        // A full disk ends some transactions by itself.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
}

/** EXCLUSIVE: SQLite holds the file's lock from the first write on. The rowid keeps the order in which objects were made. */
const OPEN = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (scope, kind, id)
  );
`;

const ALL = `SELECT scope, kind, id, body FROM objects ORDER BY position`;

const KEEP = `
  INSERT INTO objects (scope, kind, id, body) VALUES (?, ?, ?, ?)
  ON CONFLICT (scope, kind, id) DO UPDATE SET body = excluded.body
`;

const DROP = `DELETE FROM objects WHERE scope = ? AND kind = ? AND id = ?`;
