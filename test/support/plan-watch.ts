// A handle that asks the server how it carries out each statement that reads, in the same transaction and role, before it does.
import type { Database, Queryable, Statement } from "../../src/db/database.ts";

export interface Reading {
  statement: string;
  /** Tables that were read from end to end, partitions under their own names. */
  scanned: string[];
  /** Rows that were looked at, those left out included. */
  touched: number;
  /** Where most of them were. */
  where: string[];
  /** Pages of 8 KB that were read, from memory or not: also where rows are too few in each loop to be counted. */
  pages: number;
}

export interface PlanWatch {
  watched(database: Database): Database;
  /** What was read since it was asked last. */
  taken(): Reading[];
}

/** A page or two of a table may be read whole. */
const FEW = 1000;

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  "Shared Hit Blocks"?: number;
  "Shared Read Blocks"?: number;
  Plans?: PlanNode[];
}

export function planWatch(): PlanWatch {
  let readings: Reading[] = [];
  const look = async (queryable: Queryable, statement: Statement | string): Promise<void> => {
    const { text, values = [] } = typeof statement === "string" ? { text: statement } : statement;
    const { rows } = await queryable.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>({
      text: `explain (analyze, buffers, timing off, format json) ${text}`,
      values: [...values],
    });
    const plan = rows[0]?.["QUERY PLAN"][0].Plan;
    if (plan !== undefined) readings.push({ statement: text, pages: pagesOf(plan), ...sumOf(plan) });
  };
  const watchedQueryable = (queryable: Queryable): Queryable => ({
    // What reads nothing is sent at once: statements keep their order.
    query: (statement) =>
      isRead(textOf(statement))
        ? look(queryable, statement).then(() => queryable.query(statement))
        : queryable.query(statement),
  });
  return {
    watched: (database) => ({
      ...database,
      ...watchedQueryable(database),
      transaction: (work, options) => database.transaction((tx) => work(watchedQueryable(tx)), options),
    }),
    taken: () => {
      const found = readings;
      readings = [];
      return found;
    },
  };
}

const textOf = (statement: Statement | string): string => (typeof statement === "string" ? statement : statement.text);

const isRead = (text: string): boolean =>
  /^\s*(select|with)\b/i.test(text) &&
  !/\b(insert into|update|delete from|set_config|pg_advisory|for update)\b/i.test(text);

/** Of a node and all below it. */
const pagesOf = (node: PlanNode): number => (node["Shared Hit Blocks"] ?? 0) + (node["Shared Read Blocks"] ?? 0);

function sumOf(node: PlanNode): Omit<Reading, "statement" | "pages"> {
  const below = (node.Plans ?? []).map(sumOf);
  const table = node["Relation Name"];
  const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const own = table === undefined ? 0 : Math.round((node["Actual Rows"] + removed) * node["Actual Loops"]);
  return {
    scanned: [
      ...(node["Node Type"] === "Seq Scan" && table !== undefined && own > FEW ? [table] : []),
      ...below.flatMap(({ scanned }) => scanned),
    ],
    touched: own + below.reduce((sum, { touched }) => sum + touched, 0),
    where: [
      ...(own > FEW ? [`${node["Node Type"]} ${node["Index Name"] ?? table ?? ""}: ${String(own)}`] : []),
      ...below.flatMap(({ where }) => where),
    ],
  };
}
