// The indexes that the migrations leave behind, read from their own statements. Pure.

export interface ExpectedIndex {
  index: string;
  table: string;
  /** As a migration has it, on one line. */
  statement: string;
  /** The number of that migration. */
  migration: number;
}

/** Each statement that makes or takes away an index or a table, where it stands at a line's beginning or in a block. */
const STATEMENTS =
  /\b(?:create (?:unique )?index (?:if not exists )?(?<made>\w+) on (?:only )?(?<on>\w+)\b(?:'[^']*'|[^;'])*|drop index (?:if exists )?(?<dropped>\w+)|drop table (?:if exists )?(?<gone>\w+)|alter index (?<from>\w+) rename to (?<to>\w+))/g;

/** `migrations`: their texts, in order. Indexes of keys and constraints are not among them: their tables have them or are not there. */
export function indexesOf(migrations: readonly string[]): ExpectedIndex[] {
  const expected = new Map<string, ExpectedIndex>();
  migrations.forEach((text, at) => {
    for (const { 0: whole, groups = {} } of text.replace(/--[^\n]*/g, "").matchAll(STATEMENTS)) {
      const { made, on, dropped, gone, from, to } = groups;
      if (made !== undefined && on !== undefined)
        expected.set(made, { index: made, table: on, statement: oneLine(whole), migration: at + 1 });
      else if (dropped !== undefined) expected.delete(dropped);
      else if (gone !== undefined) dropTable(expected, gone);
      else if (from !== undefined && to !== undefined) rename(expected, from, to);
    }
  });
  return [...expected.values()];
}

const oneLine = (sql: string): string => `${sql.replace(/\s+/g, " ").trim()};`;

function dropTable(expected: Map<string, ExpectedIndex>, table: string): void {
  for (const one of [...expected.values()]) if (one.table === table) expected.delete(one.index);
}

function rename(expected: Map<string, ExpectedIndex>, from: string, to: string): void {
  const known = expected.get(from);
  if (known === undefined) return;
  expected.delete(from);
  expected.set(to, { ...known, index: to, statement: known.statement.replace(` ${from} on `, ` ${to} on `) });
}
