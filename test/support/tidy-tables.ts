// The rule of table owners: each table has one owner file, which alone writes it. The owner's header says `Table: x` or
// `Tables: x, y`; a header with `Owns every table that …` may write tables whose names it computes. Pure.
import ts from "typescript";

import { sqlOf } from "./tidy-rules.ts";
import { headerOf, lineOf, nodesOf, treeOf } from "./tidy-source.ts";
import type { SourceFile } from "./tidy-source.ts";

const CREATED =
  /\bcreate\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?"?([a-z_][a-z0-9_]*)"?(?!\w)(?!\s+partition\s+of)/gi;
const WRITTEN =
  /\b(?:insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+(?:only\s+)?"?([a-z_][a-z0-9_]*|\$\{\})/gi;
const KYSELY_WRITES = new Set(["insertInto", "updateTable", "deleteFrom", "mergeInto", "replaceInto"]);
const OWNED = /\bTables?: ([a-z_][a-z0-9_]*(?:,\s+(?:\/\/\s+)?[a-z_][a-z0-9_]*)*)/g;
const GENERAL_OWNER = "Owns every table that ";

interface Write {
  file: SourceFile;
  line: number;
  /** `${}`: computed. */
  table: string;
}

export function tableOwners(files: readonly SourceFile[]): string[] {
  const created = tablesCreated(files);
  const owners = ownersNamed(files);
  const declared = tablesOfProjections(files);
  const wrong: string[] = [];
  for (const [table, paths] of owners) {
    if (!created.has(table)) wrong.push(`${paths.join(", ")}: owns ${table}, which no migration creates`);
    if (paths.length > 1) wrong.push(`${table} has ${paths.length} owners: ${paths.join(", ")}`);
  }
  for (const [table, path] of created) {
    if (!owners.has(table) && !declared.has(table))
      wrong.push(`${path}: creates ${table}, which no file's header owns`);
  }
  for (const { file, line, table } of writesOf(files)) {
    const general = headerOf(file).includes(GENERAL_OWNER);
    if (table === "${}") {
      if (!general) wrong.push(`${file.path}:${line}: writes a table whose name is computed`);
    } else if (
      created.has(table) &&
      owners.get(table)?.includes(file.path) !== true &&
      !(general && declared.has(table))
    ) {
      wrong.push(`${file.path}:${line}: writes ${table}, which ${owners.get(table)?.[0] ?? "another file"} owns`);
    }
  }
  return wrong;
}

/** Table → where it is created. Partitions and temporary tables belong to whoever owns what they hang on. */
function tablesCreated(files: readonly SourceFile[]): Map<string, string> {
  const texts = files
    .filter(({ path }) => /^src\/.*\.sql$/.test(path))
    .map(({ path, text }) => ({ path, text: withoutComments(text) }));
  const strings = sqlOf(files).map(({ file, sql }) => ({ path: file.path, text: withoutComments(sql) }));
  const created = new Map<string, string>();
  for (const { path, text } of [...texts, ...strings]) {
    for (const [, table] of text.matchAll(CREATED)) if (table !== undefined) created.set(table.toLowerCase(), path);
  }
  return created;
}

const withoutComments = (sql: string): string => sql.replaceAll(/--[^\n]*/g, "");

function ownersNamed(files: readonly SourceFile[]): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const file of files.filter(({ path }) => path.startsWith("src/") && path.endsWith(".ts"))) {
    for (const [, list] of headerOf(file).matchAll(OWNED)) {
      for (const table of (list ?? "").split(/,\s+(?:\/\/\s+)?/))
        owners.set(table, [...(owners.get(table) ?? []), file.path]);
    }
  }
  return owners;
}

/** What the projections declare as `table: "…"`: their general owner writes those. */
function tablesOfProjections(files: readonly SourceFile[]): Set<string> {
  const declared = new Set<string>();
  for (const file of files.filter(({ path }) => path.startsWith("src/projections/") && path.endsWith(".ts"))) {
    for (const node of nodesOf(treeOf(file))) {
      if (!ts.isPropertyAssignment(node) || node.name.getText() !== "table") continue;
      if (ts.isStringLiteralLike(node.initializer)) declared.add(node.initializer.text);
    }
  }
  return declared;
}

function writesOf(files: readonly SourceFile[]): Write[] {
  const writes: Write[] = sqlOf(files).flatMap(({ file, line, sql }) =>
    [...withoutComments(sql).matchAll(WRITTEN)].map(([, table]) => ({
      file,
      line,
      table: (table ?? "").toLowerCase(),
    })),
  );
  for (const file of files.filter(({ path }) => /^src\/.*(?<!\.test)\.ts$/.test(path))) {
    for (const node of nodesOf(treeOf(file))) {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) continue;
      if (!KYSELY_WRITES.has(node.expression.name.text)) continue;
      const [table] = node.arguments;
      const name = table !== undefined && ts.isStringLiteralLike(table) ? (table.text.split(/\s/)[0] ?? "") : "${}";
      writes.push({ file, line: lineOf(file, node), table: name });
    }
  }
  return writes;
}
