/** A name as SQL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table's name as SQL. */
export function quoteTable(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** Text as an SQL literal; sessions have `standard_conforming_strings` on. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Texts as an SQL array of text. */
export function textArray(texts: readonly string[]): string {
  return `array[${texts.map(quoteLiteral).join(',')}]::text[]`;
}

/** The stream of a table: `table` in schema public, `schema.table` elsewhere (and where the name has a dot itself). */
export function streamName(schema: string, table: string): string {
  return schema === 'public' && !table.includes('.') ? table : `${schema}.${table}`;
}

/** The tables that a stream's name could stand for; more than one only where names have dots themselves. */
export function possibleTables(stream: string): { schema: string; table: string }[] {
  const parts = stream.split('.');
  if (parts.length === 1) return [{ schema: 'public', table: stream }];
  return parts.slice(1).map((_, index) => ({
    schema: parts.slice(0, index + 1).join('.'),
    table: parts.slice(index + 1).join('.'),
  }));
}
