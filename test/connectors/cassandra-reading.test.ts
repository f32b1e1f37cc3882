import type { Row, RowBatch } from '../../lib/core/batch';
import type { Position } from '../../lib/core/position';
import { type OpenSource, openSource } from '../contracts/open-source';
import { sorted } from '../contracts/source-reading';
import { cassandra } from '../servers/cassandra';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf, executeMany, makeKeyspace } from './cassandra';

describeWithServer('tables of Cassandra 5.0', cassandra(), (server) => {
  const run = async (...statements: string[]) => {
    for (const cql of statements) await server().client.execute(cql);
  };
  const open = (more: object = {}) => openSource('cassandra', { ...configOf(server()), ...more });
  const rowsOf = (batches: readonly { readonly kind: string; readonly rows?: readonly Row[] }[]) =>
    batches.flatMap(({ rows = [] }) => rows);

  /** Reads it in batches of some rows, and from the position after each of them again: exactly the rest must come. */
  async function readAndResume(source: OpenSource, stream: string, rows = 1): Promise<readonly Row[]> {
    const schema = await source.schema(stream);
    const size = { rows, bytes: 1 << 20 };
    const { parts, resumable } = await source.partitions(schema);
    expect(resumable).toBe(true);
    const batches = (await source.full(schema, { size })) as RowBatch[];
    for (const [index, { after }] of batches.entries()) {
      const from = JSON.parse(JSON.stringify(after)) as Position;
      const rest: Row[] = [];
      for await (const batch of source.part(schema, parts[0] ?? null, { from, size })) {
        if (batch.kind === 'rows') rest.push(...batch.rows);
      }
      expect(sorted(rest)).toEqual(sorted(rowsOf(batches.slice(index + 1))));
    }
    expect(batches.length).toBeGreaterThanOrEqual(Math.floor(rowsOf(batches).length / rows));
    return rowsOf(batches);
  }

  beforeAll(() => makeKeyspace(server()));

  it('resume behind each row of a composite key, in ascending and descending order', async () => {
    await run(
      `create table shop.mixed (p text, q int, a text, b timestamp, c frozen<list<int>>, v int,
        primary key ((p, q), a, b, c)) with clustering order by (a asc, b desc, c asc)`,
    );
    const values = [];
    for (const p of ['', 'p', 'q"\'é🙂']) {
      for (const a of ['', 'a', 'b']) {
        for (const b of [new Date(0), new Date(5)])
          for (const c of ['[]', '[1]', '[1, 2]']) values.push([p, 1, a, b, c, 7]);
      }
    }
    await executeMany(
      server(),
      'insert into shop.mixed (p, q, a, b, c, v) values (?, ?, ?, ?, from_json(?), ?)',
      values,
    );
    await using source = await open();
    const schema = await source.schema('mixed');
    expect(schema.key).toEqual(['p', 'q', 'a', 'b', 'c']);
    const rows = await readAndResume(source, 'mixed');
    expect(rows).toHaveLength(values.length);
    expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(values.length);
    expect(sorted(await readAndResume(source, 'mixed', 4))).toEqual(sorted(rows));
  });

  it('read every type of key, empty values included, and cut nowhere that a position cannot say', async () => {
    await run(
      'create table shop.keys (p blob, i int, d decimal, f double, u timeuuid, b blob, v text, primary key ((p), i, d, f, u, b))',
      ...[
        `0x00, 1, 1.0, NaN, 50554d6e-29bb-11e5-b345-feff819cdc9f, 0x, 'a'`,
        `0x00, 1, 1.0, -0.0, 50554d6e-29bb-11e5-b345-feff819cdc9f, 0xff, 'b'`,
        `0x00, 1, 1.0, 0.0, 50554d6e-29bb-11e5-b345-feff819cdc9f, 0x, 'c'`,
        `0x00, blob_as_int(0x), 2.5e-20, 0.1, 50554d6e-29bb-11e5-b345-feff819cdc9f, 0x, 'd'`,
        `0x00, -1, 2.5e20, -Infinity, 50554d6e-29bb-11e5-b345-feff819cdc9f, 0x0102, 'e'`,
      ].map((row) => `insert into shop.keys (p, i, d, f, u, b, v) values (${row})`),
    );
    await using source = await open();
    const rows = await readAndResume(source, 'keys');
    expect(rows.map((row) => row.at(-1)).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(rows.find((row) => row.at(-1) === 'd')?.[1]).toBeNull();
  });

  it('repeat static values in each row, and give a row where a partition has nothing else', async () => {
    await run(
      'create table shop.statics (p int, c int, s text static, v text, primary key (p, c))',
      `insert into shop.statics (p, s) values (1, 'only')`,
      `insert into shop.statics (p, c, s, v) values (2, 1, 'both', 'x')`,
      `insert into shop.statics (p, c, v) values (2, 2, 'y')`,
    );
    await using source = await open();
    const rows = await readAndResume(source, 'statics');
    expect(sorted(rows)).toEqual(
      sorted([
        [1, null, 'only', null],
        [2, 1, 'both', 'x'],
        [2, 2, 'both', 'y'],
      ]),
    );
    const { columns } = await source.schema('statics');
    expect(columns.find(({ name }) => name === 'c')).toMatchObject({ nullable: true });
  });

  it('read no row that was deleted or has expired, and go on through a desert of tombstones', async () => {
    await run('create table shop.desert (p int, c int, v int, primary key (p, c))');
    const cells = Array.from({ length: 3000 }, (_, c) => [c % 3, c, c]);
    await executeMany(server(), 'insert into shop.desert (p, c, v) values (?, ?, ?)', cells);
    await executeMany(
      server(),
      'delete from shop.desert where p = ? and c = ?',
      cells.slice(2, 2998).map(([p, c]) => [p, c]),
    );
    await run('insert into shop.desert (p, c, v) values (9, 9, 9) using ttl 1');
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await using source = await open();
    const rows = await readAndResume(source, 'desert');
    expect(rows.map((row) => row[1]).sort((left, right) => Number(left) - Number(right))).toEqual([0, 1, 2998, 2999]);
  });

  it('read the same in parts as in one, all at once, and an empty table', async () => {
    await run('create table shop.many (id uuid primary key, v int)', 'create table shop.nothing (id int primary key)');
    const values = Array.from({ length: 2000 }, (_, v) => [v]);
    await executeMany(server(), 'insert into shop.many (id, v) values (uuid(), ?)', values);
    await using source = await open();
    const schema = await source.schema('many');
    const one = rowsOf(await source.full(schema));
    const { parts } = await source.partitions(schema, { want: 7 });
    expect(parts).toHaveLength(7);
    const all = await Promise.all(
      parts.map(async (partition) => {
        const rows: Row[] = [];
        for await (const batch of source.part(schema, partition)) if (batch.kind === 'rows') rows.push(...batch.rows);
        expect(rows.length).toBeGreaterThan(100);
        return rows;
      }),
    );
    expect(one).toHaveLength(2000);
    expect(sorted(all.flat())).toEqual(sorted(one));
    expect(await readAndResume(source, 'nothing')).toEqual([]);
  });

  it('are told from views and indexes; names are taken as they are', async () => {
    const odd = 'Odd_Name_1';
    await run(
      `create table shop."${odd}" ("Key" int, "sélect ""x"" é🙂" text, "__proto__" int, "get" int, "from" int, primary key ("Key"))`,
      `insert into shop."${odd}" ("Key", "sélect ""x"" é🙂", "__proto__", "get", "from") values (1, 'v', 2, 3, 4)`,
      `create index on shop."${odd}" ("from")`,
      `create materialized view shop.odd_view as select * from shop."${odd}" where "get" is not null and "Key" is not null primary key ("get", "Key")`,
    );
    await using source = await open({ tables: ['Odd*', 'odd*', '!mixed'] });
    const infos = await source.source.discover(AbortSignal.timeout(patient(20_000)));
    expect(infos.map(({ schema }) => schema.stream)).toEqual([odd]);
    const schema = await source.schema(odd);
    expect(schema.columns.map(({ name }) => name)).toEqual(['Key', '__proto__', 'from', 'get', 'sélect "x" é🙂']);
    expect(rowsOf(await source.full(schema))).toEqual([[1, 2, 4, 3, 'v']]);
  });
});
