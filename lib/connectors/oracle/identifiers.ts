/** A name as SQL. Oracle allows no quotation mark in names. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table's name as SQL. */
export function quoteTable(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** How the stream of a table is called; `home` is the schema of the user. */
export function streamOf(home: string, schema: string, table: string): string {
  return schema === home ? table : `${schema}.${table}`;
}
