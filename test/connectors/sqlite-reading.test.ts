import type { Batch, Row } from '../../lib/core/batch';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import { openSource } from '../contracts/open-source';
import { expectExactResume, type RowsOnly } from '../contracts/source-reading';
import { patient } from '../servers/patience';
import { Files } from './sqlite';

describe('reading SQLite', () => {
  const files = new Files();
  const database = files.writer('reading.db');
  afterAll(() => files.remove());
  const open = (options: object = {}) =>
    openSource('sqlite', { connection: { path: files.path('reading.db') }, ...options });
  const rowsOf = (batches: readonly Batch[]): Row[] =>
    batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
  const read = async (stream: string, options: object = {}) => {
    await using source = await open(options);
    const schema = await source.schema(stream);
    return { schema, rows: rowsOf(await source.full(schema)) };
  };
  const notesOf = async (stream: string) => {
    await using source = await open();
    const infos = await source.source.discover(AbortSignal.timeout(patient(10_000)));
    return infos.find(({ schema }) => schema.stream === stream)?.notes;
  };

  it('takes names with quotes, dots and other scripts', async () => {
    database.exec(`create table "it's ""odd"".名" ("a "" b" integer primary key, "select" text, "ü;--" text);
      insert into "it's ""odd"".名" values (1, 'x', 'y')`);
    const { schema, rows } = await read(`it's "odd".名`);
    expect(schema.columns.map(({ name }) => name)).toEqual(['a " b', 'select', 'ü;--']);
    expect(rows).toEqual([[1n, 'x', 'y']]);
  });

  it('reads generated columns, tables without rowid and strict ones, and what is empty', async () => {
    database.exec(`
      create table made (id integer primary key, a int, twice as (a * 2), text as (a || '!') stored);
      insert into made values (1, 21);
      create table pairs (a text collate nocase, b int, c, primary key (b desc, a)) without rowid;
      insert into pairs values ('x', 1, 'one'), ('Y', 2, 'two'), ('y2', 2, 'three');
      create table exact (id int primary key, x any, y real) strict;
      insert into exact values (1, 'any', 2), (2, 3, null);
      create table bare (id integer primary key, t text)`);
    expect((await read('made')).rows).toEqual([[1n, 21n, 42n, '21!']]);
    const pairs = await read('pairs');
    expect(pairs.schema.key).toEqual(['b', 'a']);
    expect(pairs.rows.map(([a]) => a)).toEqual(['x', 'Y', 'y2']);
    expect(await read('exact')).toMatchObject({
      schema: { key: ['id'], columns: [{ type: 'int64' }, { type: 'text' }, { type: 'float64' }] },
      rows: [
        [1n, 'any', 2],
        [2n, '3', null],
      ],
    });
    expect((await read('bare')).rows).toEqual([]);
  });

  it('takes as many columns as SQLite does, with a key and without', async () => {
    const columns = Array.from({ length: 1999 }, (_, index) => `c${index}`).join(', ');
    const values = Array.from({ length: 1999 }, (_, index) => index).join(', ');
    for (const [table, first] of Object.entries({ widest: 'id text', widest_keyed: 'id text primary key' })) {
      database.exec(`create table ${table} (${first}, ${columns});
        insert into ${table} values ('one', ${values}), ('two', ${values})`);
      const { rows } = await read(table);
      expect(rows.map((row) => [row.length, row[0], row[1999]])).toEqual([
        [2000, 'one', 1998n],
        [2000, 'two', 1998n],
      ]);
    }
    expect(await notesOf('widest')).toContain(
      'It has as many columns as SQLite takes: read in one piece, without resuming.',
    );
    expect(await notesOf('widest_keyed')).toEqual([]);
  });

  it('goes by the key, and by the rowid where there is none, from any batch', async () => {
    const numbers = 'with recursive n(g) as (select 1 union all select g + 1 from n where g < 300)';
    database.exec(`
      create table keyed (a int, b text collate nocase, c blob, unique (c), primary key (b, a));
      ${numbers} insert into keyed select g / 5, char(97 + g % 5) || (g % 7), cast('k' || g as blob) from n;
      create table keyless (rowid text, _rowid_ int, value);
      ${numbers} insert into keyless select 'same', 1, 'v' || (g % 10) from n;
      create table mixed (key primary key, value);
      ${numbers} insert into mixed select case when g % 2 then g else 't' || g end, g from n`);
    for (const [stream, key] of [
      ['keyed', ['b', 'a']],
      ['keyless', []],
      ['mixed', []],
    ] as const) {
      await using source = await open();
      const schema = await source.schema(stream);
      expect(schema.key).toEqual(key);
      const { parts } = await source.partitions(schema);
      const part = async (from: Position | undefined): Promise<RowsOnly[]> => {
        const batches: RowsOnly[] = [];
        const size = { rows: 40, bytes: 1 << 20 };
        for await (const batch of source.part(schema, parts[0] as Json, { size, ...(from && { from }) })) {
          if (batch.kind === 'rows') batches.push(batch);
        }
        return batches;
      };
      expect(rowsOf(await part(undefined))).toHaveLength(300);
      await expectExactResume(part);
    }
    expect(await notesOf('mixed')).toEqual([
      expect.stringContaining('primary key holds'),
      expect.stringContaining('several types'),
    ]);
  });

  it('tells apart what differs in case only where the key does', async () => {
    database.exec(`create table cased (name text collate nocase not null, id int not null);
      create unique index exactly on cased (name collate binary);
      insert into cased values ('b', 1), ('B', 2), ('a', 3), ('A', 4)`);
    await using source = await open();
    const schema = await source.schema('cased');
    expect(schema.key).toEqual(['name']);
    const batches = await source.full(schema, { size: { rows: 1, bytes: 1 << 20 } });
    expect(rowsOf(batches).map(([name]) => name)).toEqual(['A', 'B', 'a', 'b']);
  });

  it('does without a key in which there is NULL', async () => {
    database.exec(`create table nulls (a text, b int, primary key (a, b)); insert into nulls values ('x', 1)`);
    await using source = await open();
    const schema = await source.schema('nulls');
    expect(schema.key).toEqual(['a', 'b']);
    database.exec(`insert into nulls values (null, 1), (null, 1)`);
    await expect(source.full(schema)).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('NULL'),
    });
    const [batch] = await source.full(schema);
    expect(batch).toMatchObject({
      schema: { key: [] },
      rows: [
        ['x', 1n],
        [null, 1n],
        [null, 1n],
      ],
    });
  });

  it('reads views and virtual tables whole, and reports those that do not work', async () => {
    database.exec(`create table base (id integer primary key, n int); insert into base values (1, 5), (2, 6);
      create view sums as select count(*) as rows, sum(n) as total, 'x' as word from base;
      create view invalid as select nowhere from gone;
      create virtual table words using fts5(body); insert into words values ('hello world')`);
    await using source = await open({ tables: ['base', 'sums', 'invalid', 'words*', 'absent'] });
    const infos = await source.source.discover(AbortSignal.timeout(patient(10_000)));
    expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
      ['absent', 'table_missing'],
      ['base', undefined],
      ['invalid', 'view_invalid'],
      ['sums', undefined],
      ['words', undefined],
    ]);
    expect((await read('sums')).rows).toEqual([[2n, 11n, 'x']]);
    expect((await read('words')).rows).toEqual([['hello world']]);
    const { passed, steps } = await source.source.check(AbortSignal.timeout(patient(10_000)));
    expect(passed).toBe(true);
    expect(steps).toContainEqual(expect.objectContaining({ name: 'permissions', state: 'warning' }));
  });

  it('says that a table was dropped, also in the middle', async () => {
    database.exec('create table dropped (id integer primary key, t text)');
    for (let id = 1; id <= 300; id++) database.exec(`insert into dropped values (${id}, 'x')`);
    await using source = await open();
    const schema = await source.schema('dropped');
    const { parts } = await source.partitions(schema);
    let rows = 0;
    for await (const batch of source.part(schema, parts[0] as Json, { size: { rows: 10, bytes: 1 << 20 } })) {
      if (rows === 0) database.exec('drop table dropped');
      if (batch.kind === 'rows') rows += batch.rows.length;
    }
    expect(rows).toBe(300);
    await expect(source.increment(schema, 'id', undefined)).rejects.toMatchObject({
      kind: 'config',
      code: 'table_missing',
    });
  });

  it('goes on in another process with what the key says, where that is asked for', async () => {
    database.exec('create table resumed (id text not null primary key)');
    for (let id = 100; id < 160; id++) database.exec(`insert into resumed values ('${id}')`);
    const positions: (Position | undefined)[] = [undefined];
    {
      await using first = await open();
      const schema = await first.schema('resumed');
      const { parts, resumable } = await first.partitions(schema, { resumable: true });
      expect([parts, resumable]).toEqual([[{ kind: 'keyed' }], true]);
      for await (const batch of first.part(schema, parts[0] as Json, { size: { rows: 20, bytes: 1 << 20 } })) {
        positions.push(batch.after);
        break;
      }
      const keyless = await first.partitions(await first.schema('keyless'), { resumable: true });
      expect(keyless.resumable).toBeUndefined();
    }
    await using second = await open();
    const schema = await second.schema('resumed');
    const [, from] = positions;
    const rest: Row[] = [];
    for await (const batch of second.part(schema, { kind: 'keyed' }, { ...(from && { from }) })) {
      if (batch.kind === 'rows') rest.push(...batch.rows);
    }
    expect(rest.map(([id]) => id)).toEqual(Array.from({ length: 40 }, (_, index) => String(120 + index)));
  });

  it('holds a value of many megabytes, and few of them at a time', async () => {
    database.exec(`create table heavy (id integer primary key, value blob)`);
    for (let id = 1; id <= 5; id++) database.exec(`insert into heavy values (${id}, zeroblob(20000000))`);
    await using source = await open();
    const schema = await source.schema('heavy');
    const { parts } = await source.partitions(schema);
    const sizes: number[] = [];
    for await (const batch of source.part(schema, parts[0] as Json)) {
      if (batch.kind === 'rows') sizes.push(batch.rows.length);
    }
    expect(sizes).toEqual([1, 1, 1, 1, 1]);
  });
});
