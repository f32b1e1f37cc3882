/** A name as SQL. */
export function quoteIdentifier(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/** A table's name as SQL. */
export function quoteTable(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

const DEFAULT_SCHEMA = 'dbo';

/** How the stream of a table is called. */
export function streamOf(schema: string, table: string): string {
  return schema === DEFAULT_SCHEMA ? table : `${schema}.${table}`;
}
