// Loading a backup: into a schema exactly as old as the backup, held against the backup row by row, then migrated on.
import type { KeyRing } from "../base/key-ring.ts";
import type { Database, Queryable } from "../db/database.ts";
import { migrate, type Migration, readMigrations } from "../db/migrate.ts";
import { ownTables } from "../db/own-schema.ts";
import {
  fillTable,
  fixTextForms,
  type Guards,
  guardsOf,
  rowTally,
  setCounter,
  type TableShape,
  tableShapes,
  type Tally,
  tallyOf,
} from "../db/table-copy.ts";
import { keyMarks } from "./backup.ts";
import { failedBackup } from "./backup-failure.ts";
import {
  type BackupEnd,
  type BackupHeader,
  type BackupLine,
  backupLines,
  type BackupTable,
  type BackupTableEnd,
  parseRow,
} from "./backup-format.ts";
import { monthsOf } from "./restore-months.ts";

export interface BackupSummary {
  header: BackupHeader;
  tables: number;
  rows: number;
}

/** "any": what was sealed with the backup's key may stay closed. */
export type HeldKey = { ring: KeyRing | undefined } | "any";

/** Reads a backup to its end and holds each table against its tally. Throws a sentence for what is not as it was written. */
export async function checkBackup(
  bytes: AsyncIterable<Uint8Array>,
  told: (rows: number) => void = () => undefined,
): Promise<BackupSummary> {
  const reading = new BackupReading(backupLines(bytes));
  const header = await reading.header();
  for (let table = await reading.nextTable(); table !== undefined; table = await reading.nextTable())
    for await (const rows of reading.rows()) told(rows.length);
  const { done } = reading.end();
  return { header, tables: done.tables, rows: done.rows };
}

/**
 * Loads a backup into `target`, which holds nothing of ours. Where `target` is one transaction nothing is kept of what fails; else
 * the caller throws it away. `told` hears of the rows that were loaded so far.
 */
export async function loadBackup(
  target: Database,
  bytes: AsyncIterable<Uint8Array>,
  { key, told = () => undefined }: { key: HeldKey; told?: (rows: number) => void },
): Promise<BackupSummary> {
  const lines = backupLines(bytes);
  try {
    return await loadLines(target, lines, { key, told });
  } finally {
    // What fails half way must not leave whoever sends it waiting.
    await lines.return(undefined);
  }
}

async function loadLines(
  target: Database,
  lines: AsyncGenerator<BackupLine>,
  { key, told }: { key: HeldKey; told: (rows: number) => void },
): Promise<BackupSummary> {
  const reading = new BackupReading(lines);
  const header = await reading.header();
  checkKey(header, key);
  await migrate(target, checkSchema(header));
  const shapes = new Map((await tableShapes(target, ownTables())).map((shape) => [shape.name, shape]));
  const guards = await guardsOf(target);
  await runAll(target, guards.drop);
  const loaded = new Map<TableShape, Tally>();
  let rows = 0;
  for (let table = await reading.nextTable(); table !== undefined; table = await reading.nextTable()) {
    const shape = shapeFor(shapes, table);
    const months = monthsOf(target, shape);
    for await (const batch of reading.rows()) {
      const values = batch.map(parseRow);
      await months(values);
      await target.transaction((tx) => fillTable(tx, shape, values));
      rows += batch.length;
      told(rows);
    }
    loaded.set(shape, reading.tally());
    shapes.delete(table.table);
  }
  if (shapes.size > 0) throw failedBackup("malformed", undefined, `It lacks ${[...shapes.keys()].join(", ")}.`);
  await finish(target, guards, loaded, reading.end());
  await migrate(target);
  return { header, tables: loaded.size, rows };
}

/** Foreign keys are checked as they come back; then every table is read again and held against what was to be loaded. */
async function finish(
  target: Database,
  guards: Guards,
  loaded: Map<TableShape, Tally>,
  { done }: BackupEnd,
): Promise<void> {
  await target.transaction(async (tx) => {
    for (const counter of done.counters) await setCounter(tx, counter);
  });
  await runAll(target, guards.restore);
  await target.transaction(async (tx) => {
    await fixTextForms(tx);
    for (const [shape, { rows, sum }] of loaded) {
      const found = await tallyOf(tx, shape);
      if (found.rows === rows && found.sum === sum) continue;
      throw failedBackup("not_loaded", undefined, `${shape.name} has ${found.rows} rows of ${rows}, or other ones.`);
    }
  });
}

async function runAll(target: Database, statements: readonly string[]): Promise<void> {
  await target.transaction(async (tx: Queryable) => {
    for (const statement of statements) await tx.query(statement);
  });
}

/** The migrations that the backup's schema had. Throws when they are not the first ones of ours. */
export function checkSchema(header: BackupHeader): Migration[] {
  const ours = readMigrations();
  if (header.migrations.length > ours.length) throw failedBackup("newer_schema", undefined, madeBy(header));
  const same = header.migrations.every(({ checksum }, index) => ours[index]?.checksum === checksum);
  if (!same || header.migrations.length === 0) throw failedBackup("other_schema", undefined, madeBy(header));
  return ours.slice(0, header.migrations.length);
}

const madeBy = ({ version }: BackupHeader): string => `It was made by version ${version}.`;

/** Throws when something that was sealed could not be opened afterwards. */
export function checkKey(header: BackupHeader, key: HeldKey): void {
  if (key === "any" || header.secret_keys === null) return;
  if (key.ring === undefined) throw failedBackup("no_key");
  const ours = keyMarks(key.ring);
  if (header.secret_keys.some((mark) => !ours.includes(mark))) throw failedBackup("other_key");
}

/** The columns in the backup's order, with this database's types. */
function shapeFor(shapes: ReadonlyMap<string, TableShape>, { table, columns }: BackupTable): TableShape {
  const shape = shapes.get(table);
  const own = columns.map(({ name }) => shape?.columns.find((column) => column.name === name));
  if (shape?.columns.length !== columns.length || own.includes(undefined))
    throw failedBackup("other_schema", undefined, `The table ${table} has other columns here.`);
  return { name: table, columns: own.filter((column) => column !== undefined) };
}

/** What one statement inserts at most. */
const BATCH_BYTES = 1_000_000;
const BATCH_ROWS = 1000;

/** One pass over a backup's lines, which holds each table against its tally. */
class BackupReading {
  readonly #lines: AsyncGenerator<BackupLine>;
  #tally: Tally = rowTally().result();
  #tables = 0;
  #rows = 0;
  #end: BackupEnd | undefined;

  constructor(lines: AsyncGenerator<BackupLine>) {
    this.#lines = lines;
  }

  async header(): Promise<BackupHeader> {
    const line = await this.#next();
    if (line.kind !== "header") throw failedBackup("malformed");
    return line.header;
  }

  /** Undefined: the backup has ended. */
  async nextTable(): Promise<BackupTable | undefined> {
    const line = await this.#next();
    if (line.kind === "table") return line.table;
    if (line.kind !== "end") throw failedBackup("malformed");
    if (line.end.done.tables !== this.#tables || line.end.done.rows !== this.#rows) throw failedBackup("malformed");
    this.#end = line.end;
    // To its seal: only then is it known that nothing was cut off or changed.
    if ((await this.#lines.next()).done !== true) throw failedBackup("malformed");
    return undefined;
  }

  /** The rows of the table that was come to, as they stand in the backup. All of them must be taken. */
  async *rows(): AsyncGenerator<Buffer[]> {
    const tally = rowTally();
    let batch: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const line = await this.#next();
      if (line.kind === "table end") {
        if (batch.length > 0) yield batch;
        this.#close(line.end, tally.result());
        return;
      }
      if (line.kind !== "row") throw failedBackup("malformed");
      tally.add(line.line);
      batch.push(line.line);
      bytes += line.line.length;
      if (bytes < BATCH_BYTES && batch.length < BATCH_ROWS) continue;
      yield batch;
      [batch, bytes] = [[], 0];
    }
  }

  /** Of the table whose rows were taken. */
  tally(): Tally {
    return this.#tally;
  }

  end(): BackupEnd {
    if (this.#end === undefined) throw failedBackup("cut_off");
    return this.#end;
  }

  #close({ rows, sum }: BackupTableEnd, tally: Tally): void {
    if (tally.rows !== rows || tally.sum !== sum) throw failedBackup("changed");
    this.#tally = tally;
    this.#tables += 1;
    this.#rows += rows;
  }

  async #next(): Promise<BackupLine> {
    const next: IteratorResult<BackupLine, unknown> = await this.#lines.next();
    if (next.done === true) throw failedBackup("cut_off");
    return next.value;
  }
}
