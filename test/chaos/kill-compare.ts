import type { Client } from 'pg';
import { type KilledTable, TABLES } from './kill-source';

/** Where the rows of one side are. */
export interface Side {
  readonly client: Client;
  readonly schema: string;
}

const SHOWN = 5;

/**
 * Compares every row by value, in both directions, each side hashed by its own server. `except`: keys of `items` that
 * may still be at the destination though the source has them no more. Gives what is wrong, by row.
 */
export async function differences(source: Side, destination: Side, except: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const table of TABLES) {
    const ignored = table.name === 'items' ? except : [];
    const [left, right] = [await digest(source, table, []), await digest(destination, table, ignored)];
    if (left === right) continue;
    problems.push(`${table.name}: source has ${left}, destination has ${right} (rows, sum of hashes)`);
    problems.push(...(await differingRows(source, destination, table, ignored)));
  }
  return problems;
}

async function digest({ client, schema }: Side, table: KilledTable, except: readonly string[]): Promise<string> {
  const { rows } = await client.query<{ rows: string; hash: string }>(
    `select count(*) as rows, coalesce(sum(hashtextextended(row(${table.columns.join(', ')})::text, 0)), 0) as hash
     from ${from(schema, table, except)}`,
  );
  return `${rows[0]?.rows}, ${rows[0]?.hash}`;
}

function from(schema: string, table: KilledTable, except: readonly string[]): string {
  const where = except.length > 0 ? ` where id not in (values ${except.map((id) => `(${id})`).join(', ')})` : '';
  return `"${schema}"."${table.name}"${where}`;
}

async function differingRows(
  source: Side,
  destination: Side,
  table: KilledTable,
  except: readonly string[],
): Promise<string[]> {
  const left = await rowsByText(source, table, []);
  const right = await rowsByText(destination, table, except);
  const lines: string[] = [];
  const report = (what: string, rows: readonly string[]) => {
    if (rows.length > 0) lines.push(`${table.name}: ${rows.length} ${what}: ${rows.slice(0, SHOWN).join(' | ')}`);
  };
  const less = (one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>) =>
    [...one].filter(([text, times]) => times > (other.get(text) ?? 0)).map(([text]) => text);
  const keysOf = (rows: readonly string[]) => new Set(rows.map((text) => keyOf(text, table)));
  const missing = less(left, right);
  const surplus = less(right, left);
  const [missingKeys, surplusKeys] = [keysOf(missing), keysOf(surplus)];
  const isChanged = (text: string) => table.key.length > 0 && missingKeys.has(keyOf(text, table));
  report(
    'missing',
    missing.filter((text) => table.key.length === 0 || !surplusKeys.has(keyOf(text, table))),
  );
  report(
    'doubled',
    surplus.filter((text) => left.has(text)),
  );
  report(
    'changed, at the destination',
    surplus.filter((text) => !left.has(text) && isChanged(text)),
  );
  report(
    'changed, at the source',
    missing.filter((text) => table.key.length > 0 && surplusKeys.has(keyOf(text, table))),
  );
  report(
    'that the source does not have',
    surplus.filter((text) => !left.has(text) && !isChanged(text)),
  );
  return lines;
}

async function rowsByText({ client, schema }: Side, table: KilledTable, except: readonly string[]) {
  const { rows } = await client.query<{ text: string; times: number }>(
    `select json_build_array(${table.columns.map((column) => `${column}::text`).join(', ')})::text as text,
       count(*)::int as times from ${from(schema, table, except)} group by 1 order by 1`,
  );
  return new Map(rows.map(({ text, times }) => [text, times]));
}

function keyOf(text: string, table: KilledTable): string {
  const cells = JSON.parse(text) as (string | null)[];
  return table.key.map((name) => cells[table.columns.indexOf(name)]).join(' ');
}

/** Rows of `items` that were there from the beginning to now, and are not at the destination in any version. */
export async function lostRows(source: Side, destination: Side, rows: number): Promise<string[]> {
  const ids = async ({ client, schema }: Side) => {
    const found = await client.query<{ id: string }>(
      `select id from "${schema}".items where id <= ${rows} order by id`,
    );
    return found.rows.map(({ id }) => id);
  };
  const stored = new Set(await ids(destination));
  const lost = (await ids(source)).filter((id) => !stored.has(id));
  return lost.length === 0 ? [] : [`items: ${lost.length} lost by a resumed load: ${lost.slice(0, SHOWN).join(', ')}`];
}

/** What an integration left behind in its schema that should be gone once its runs have ended. */
export async function leftovers({ client, schema }: Side): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(
    `select 'table ' || relname as what from pg_class
     where relnamespace = $1::regnamespace and relkind = 'r'
       and relname not in (${TABLES.map(({ name }) => `'${name}'`).join(', ')})
       and relname !~ '^_explorerio_(positions|tables|loads|quarantine|shapes)$'
     union all select 'index ' || relname from pg_class
     where relnamespace = $1::regnamespace and relname ~ '^_explorerio_index_'
     union all select 'position of load ' || load from "${schema}"._explorerio_positions where load <> ''
     union all select 'load ' || load || ' ' || state from "${schema}"._explorerio_loads where state = 'loading'
     union all select 'quarantined ' || reason from "${schema}"._explorerio_quarantine
     union all select 'transaction of ' || application_name from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'`,
    [`"${schema}"`],
  );
  return rows.map(({ what }) => `left behind: ${what}`);
}
