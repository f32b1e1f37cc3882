import { setImmediate } from 'node:timers/promises';
import { Fault } from '../../core/fault';
import { bound, sql } from '../shared/sql/fragment';
import type { SqlSession } from '../shared/sql/session';
import type { CatalogTable } from './catalog';
import type { SqliteColumn } from './columns';
import { quoteIdentifier } from './identifiers';
import { rowidOf } from './rowid';
import { isCertain, isOpen, type StorageClass } from './types';

/** What was found in a table. */
export interface Look {
  /** The classes of each column's values, in order; more are added when more are met. */
  readonly classes: readonly Set<StorageClass>[];
  readonly rows: number;
  readonly bytes: number;
}

type Session = SqlSession<SqliteColumn>;

const CHUNK = 50_000;
/** Of the first rows of a chunk the sizes are asked for. */
const SAMPLE = 1000;
const NUMBER_BYTES = 8;
const MOST_TOGETHER = 250;

/** Remembers what was found in the tables of a source: classes are only ever added until all is looked at again. */
export class Looks {
  readonly #strictly: boolean;
  readonly #known = new Map<string, Look>();

  /** `strictly`: what is not as declared is a fault, so nobody looks for it. */
  constructor(strictly: boolean) {
    this.#strictly = strictly;
  }

  /** What is known of a table; looks at it when nothing is. */
  async known(session: Session, table: CatalogTable): Promise<Look> {
    return this.#known.get(definitionOf(table)) ?? this.again(session, table);
  }

  /** Looks at a table, whatever was known of it. */
  async again(session: Session, table: CatalogTable): Promise<Look> {
    const look = this.#isNeeded(table) ? await lookAt(session, table) : await estimateOf(session, table);
    this.#known.set(definitionOf(table), look);
    return look;
  }

  #isNeeded(table: CatalogTable): boolean {
    return table.columns.some((column) => {
      if (isCertain(column, table.strict)) return column.nullable && column.keyPlace > 0;
      return !this.#strictly || isOpen(column) || column.keyPlace > 0 || table.kind !== 'table';
    });
  }
}

function definitionOf(table: CatalogTable): string {
  return JSON.stringify(table);
}

async function lookAt(session: Session, table: CatalogTable): Promise<Look> {
  const rowid = table.kind === 'table' ? rowidOf(table) : undefined;
  return rowid === undefined ? lookRowByRow(session, table) : lookInChunks(session, table, rowid);
}

/** A chunk at a time, so that others have their turn. */
async function lookInChunks(session: Session, table: CatalogTable, rowid: string): Promise<Look> {
  const names = table.columns.map(({ name }) => `t.${quoteIdentifier(name)}`);
  const size = joinedSql(names.map(bytesOf), '+') || '0';
  const look = emptyLook(table);
  let [rows, bytes, last] = [0, 0, ''];
  for (;;) {
    const first = (selection: string, most: number) => sql`select t.${rowid} as r${selection}
      from main.${quoteIdentifier(table.name)} as t ${last === '' ? '' : `where t.${rowid} > ${last}`}
      order by t.${rowid} limit ${String(most)}`;
    const [[sample] = []] = await session.query(sql`select total(b) from (${first(`, ${size} as b`, SAMPLE)})`);
    let [reached, count]: (string | null)[] = [null, null];
    for (let place = 0; place < names.length; place += MOST_TOGETHER) {
      const some = names.slice(place, place + MOST_TOGETHER);
      // Asked for inside, so that what a row holds is not read beyond its types.
      const types = some.map((name, index) => `, typeof(${name}) as c${index}`).join('');
      const found = some.map((_, index) => `, group_concat(distinct c${index})`).join('');
      const [row = []] = await session.query(sql`select max(r), count(*)${found} from (${first(types, CHUNK)})`);
      const [most = null, all = null, ...classes] = row;
      [reached, count] = [most, all];
      for (const [index, list] of classes.entries()) addAll(look.classes[place + index], list ?? '');
    }
    rows += Number(count);
    bytes += Math.round((Number(sample) * Number(count)) / Math.max(1, Math.min(Number(count), SAMPLE)));
    if (Number(count) < CHUNK || !reached) return { ...look, rows, bytes };
    last = reached;
    await setImmediate();
  }
}

// What has no rowid is asked for the classes of each row.
async function lookRowByRow(session: Session, table: CatalogTable): Promise<Look> {
  const lists = joinedSql(
    table.columns.map(({ name }) => `typeof(t.${quoteIdentifier(name)})`),
    `|| ',' ||`,
  );
  const look = emptyLook(table);
  const seen = new Set<string>();
  let rows = 0;
  const statement = sql`select ${lists || "''"} from main.${quoteIdentifier(table.name)} as t`;
  for await (const batch of session.rows(statement, [LISTS], { rows: CHUNK, bytes: Number.POSITIVE_INFINITY })) {
    rows += batch.length;
    for (const [list] of batch) {
      if (typeof list !== 'string' || seen.has(list)) continue;
      seen.add(list);
      for (const [index, one] of list.split(',').entries()) addAll(look.classes[index], one);
    }
    // With many columns nearly each row may be another.
    if (seen.size > CHUNK) seen.clear();
  }
  return { ...look, rows, bytes: rows * table.columns.length * NUMBER_BYTES };
}

const LISTS: SqliteColumn = {
  column: { name: 'classes', type: 'text', nullable: false, native: 'sqlite/text' },
  expression: '',
  order: '',
  bind: bound,
  decode: (cell) => String(cell),
  form: 'text',
  packed: '',
  isRowid: false,
  identifies: false,
  unfit: () => new Fault('bug', 'classes', 'a list of classes is none'),
};

function emptyLook(table: CatalogTable): Look {
  return { classes: table.columns.map(() => new Set<StorageClass>()), rows: 0, bytes: 0 };
}

/** Without looking: as many rows as the last rowid says. */
async function estimateOf(session: Session, table: CatalogTable): Promise<Look> {
  const rowid = rowidOf(table);
  const from = `main.${quoteIdentifier(table.name)} as t`;
  const [[last] = []] = rowid === undefined ? [] : await session.query(sql`select max(t.${rowid}) from ${from}`);
  const rows = Math.max(0, Number(last ?? 0));
  return { ...emptyLook(table), rows, bytes: rows * table.columns.length * NUMBER_BYTES };
}

// The length of a number would have to be made.
function bytesOf(name: string): string {
  return `coalesce(case when typeof(${name}) in ('text', 'blob') then octet_length(${name}) end, ${NUMBER_BYTES})`;
}

/** SQLite takes up to 2000 columns, and no expression that is deeper than 1000. */
function joinedSql(parts: readonly string[], operator: string): string {
  const groups: string[] = [];
  for (let place = 0; place < parts.length; place += MOST_TOGETHER) {
    groups.push(`(${parts.slice(place, place + MOST_TOGETHER).join(` ${operator} `)})`);
  }
  return groups.join(` ${operator} `);
}

function addAll(classes: Set<StorageClass> | undefined, list: string): void {
  for (const one of list.split(',')) if (one !== '') classes?.add(one as StorageClass);
}
