import { classify } from '../../lib/connectors/oracle/classify';
import type { Row } from '../../lib/core/batch';
import type { Position } from '../../lib/core/position';
import { openSource } from '../contracts/open-source';
import { OracleError } from '../servers/oracle-seam';
import type { FakeColumn } from '../servers/oracle-tables';
import { startFake } from './oracle';

const SIZE = { rows: 7, bytes: 1 << 20 };
const NUMBER: FakeColumn = { name: 'ID', type: 'NUMBER', precision: 9, scale: 0 };
const TEXT: FakeColumn = { name: 'TEXT', type: 'VARCHAR2' };
const TIME: FakeColumn = { name: 'CHANGED', type: 'TIMESTAMP(3)', scale: 3 };
const NOW = '2026-01-02 03:04:05.000';

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

// All of it at the seam: nothing here was seen at a real server.
describe('reading Oracle', () => {
  let fake: Awaited<ReturnType<typeof startFake>>;

  beforeEach(async () => {
    fake = await startFake();
  });
  afterEach(() => fake.stop());

  const open = (more: object = {}) => openSource('oracle', { connection: fake.connection, ...more });
  const rowsOf = (batches: Iterable<{ readonly kind: string; readonly rows?: readonly Row[] }>) =>
    [...batches].flatMap(({ rows }) => rows ?? []);
  const numbers = (rows: readonly Row[]) => rows.map(([id]) => Number(id)).sort((left, right) => left - right);
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const fill = (table: string, count: number, statistics = 0, key: readonly string[] = ['ID']) => {
    fake.writer.exec(`create table "${table}" (id int, text text, changed text);
      with recursive n(g) as (select 1 union all select g + 1 from n where g < ${count})
      insert into "${table}" select g, 'text ' || g, '${NOW}' from n`);
    fake.server.describe(table, [NUMBER, TEXT, TIME], key, statistics);
  };

  it('reads tables under names of any script, and reports the one that is not shown', async () => {
    fill('Straße; "日本"'.replaceAll('"', ''), 3);
    await using source = await open({ tables: ['Straße; 日本', 'HIDDEN'] });
    const infos = await source.source.discover(AbortSignal.timeout(5000));
    expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
      ['HIDDEN', 'table_missing'],
      ['Straße; 日本', undefined],
    ]);
    expect(rowsOf(await source.full(await source.schema('Straße; 日本')))).toHaveLength(3);
    const report = await source.source.check(AbortSignal.timeout(5000));
    expect(report.steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('HIDDEN'),
    });
  });

  it('leaves out what it cannot read, and says so', async () => {
    fake.writer.exec('create table shapes (id int primary key, shape blob)');
    fake.server.describe('SHAPES', [NUMBER, { name: 'SHAPE', type: 'SDO_GEOMETRY' }]);
    await using source = await open();
    const [info] = await source.source.discover(AbortSignal.timeout(5000));
    expect(info?.schema.columns.map(({ name }) => name)).toEqual(['ID']);
    expect(info?.notes.join()).toContain('SHAPE (SDO_GEOMETRY)');
  });

  it('reads a table without a key by ranges of rowids, from any row on', async () => {
    fill('LOOSE', 50, 50_000, []);
    await using source = await open();
    const stream = await source.schema('LOOSE');
    expect(stream.key).toEqual([]);
    const { parts } = await source.partitions(stream, { want: 3 });
    expect(parts).toHaveLength(3);
    const all: Row[] = [];
    for (const partition of parts) {
      const read = async (from?: Position) => {
        const batches = [];
        for await (const one of source.part(stream, partition, { size: SIZE, ...(from && { from }) }))
          batches.push(one);
        return batches;
      };
      const batches = await read();
      for (const [index, { after }] of batches.entries()) {
        expect(numbers(rowsOf(await read(after)))).toEqual(numbers(rowsOf(batches.slice(index + 1))));
      }
      all.push(...rowsOf(batches));
    }
    expect(numbers(all)).toEqual(upTo(50));
    // At another moment a row may lie elsewhere.
    const resumable = await source.partitions(stream, { resumable: true });
    expect(resumable.resumable).toBeUndefined();
  });

  it('reads by a key that is no number in ranges, too', async () => {
    fill('NAMED', 60, 60_000, ['TEXT']);
    await using source = await open();
    const stream = await source.schema('NAMED');
    expect((await source.partitions(stream, { want: 4 })).parts).toHaveLength(4);
    expect(numbers(rowsOf(await source.full(stream, { want: 4, size: SIZE })))).toEqual(upTo(60));
  });

  it('sees one moment, and says when the server has forgotten it', async () => {
    fill('OLD', 20);
    await using source = await open();
    const stream = await source.schema('OLD');
    const { parts } = await source.partitions(stream);
    fake.writer.exec(`insert into old values (21, 'later', '${NOW}')`);
    const [partition = null] = parts;
    const read = async (options: object) => {
      const found = [];
      for await (const batch of source.part(stream, partition, options)) found.push(batch);
      return numbers(rowsOf(found));
    };
    expect(await read({})).toEqual(upTo(20));
    fake.server.forgetMoments();
    await expect(read({})).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
    await expect(read({})).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
    expect(await read({ repairable: true })).toEqual(upTo(21));
  });

  it('plans anew when a table was altered after the moment', async () => {
    fill('FIRST', 3);
    fill('SECOND', 3);
    await using source = await open();
    const [first, second] = [await source.schema('FIRST'), await source.schema('SECOND')];
    const { parts } = await source.partitions(first);
    fake.writer.exec('alter table first add column more int; alter table second add column more int');
    for (const table of ['FIRST', 'SECOND']) fake.server.describe(table, [NUMBER, TEXT, TIME]);
    const read = async () => {
      for await (const batch of source.part(first, parts[0] ?? null)) expect(batch).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ kind: 'lost', code: 'table_changed' });
    expect(rowsOf(await source.full(second))).toHaveLength(3);
    expect(rowsOf(await source.full(first))).toHaveLength(3);
  });

  it('says which table was dropped while it was read', async () => {
    fill('GONE', 300);
    await using source = await open({ row_scn: true });
    fake.writer.exec('alter table gone add column ora_rowscn int');
    const stream = await source.schema('GONE');
    const { parts } = await source.partitions(stream);
    fake.server.before = (statement) => {
      if (statement.includes('GONE')) throw new OracleError(942, 'table or view does not exist');
    };
    const read = async () => {
      for await (const batch of source.part(stream, parts[0] ?? null, { size: SIZE })) expect(batch).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({
      kind: 'config',
      code: 'table_missing',
      message: expect.stringContaining('GONE'),
    });
  });

  it('goes on behind any batch after the connection was lost', async () => {
    fill('LONG_ONE', 400);
    await using source = await open();
    const stream = await source.schema('LONG_ONE');
    const [partition = null] = (await source.partitions(stream)).parts;
    const rows: Row[] = [];
    const codes = new Set<string>();
    let from: Position | undefined;
    for (let done = false; !done; ) {
      try {
        const size = { rows: 90, bytes: 1 << 20 };
        for await (const batch of source.part(stream, partition, { size, ...(from && { from }) })) {
          rows.push(...rowsOf([batch as never]));
          from = batch.after;
          fake.seam.dropAll();
        }
        done = true;
      } catch (error) {
        codes.add((error as { code: string }).code);
      }
    }
    expect(numbers(rows)).toEqual(upTo(400));
    expect([...codes]).toEqual(['connection_lost']);
  });

  it('has the server stop at an abort', async () => {
    fill('HELD', 400);
    await using source = await open();
    const stream = await source.schema('HELD');
    const [partition = null] = (await source.partitions(stream)).parts;
    const { signal, abort } = abortable();
    const read = async () => {
      for await (const batch of source.part(stream, partition, { size: SIZE, signal })) {
        if (batch) fake.seam.hold();
        setTimeout(abort, 50);
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'aborted' });
    expect(fake.seam.stops()).toBe(1);
  });

  it('reads without the right to ask for a moment, each table as it is', async () => {
    fill('PLAIN', 30);
    fill('LOOSE', 30, 50_000, []);
    fake.server.tellsNumber = false;
    await using source = await open();
    for (const name of ['PLAIN', 'LOOSE']) {
      expect(numbers(rowsOf(await source.full(await source.schema(name), { want: 3, size: SIZE })))).toEqual(upTo(30));
    }
    const loose = await source.partitions(await source.schema('LOOSE'), { want: 3 });
    expect(loose.parts).toEqual([{ kind: 'whole', snapshot: 'each' }]);
    const report = await source.source.check(AbortSignal.timeout(5000));
    expect(report.steps.find(({ name }) => name === 'database')).toMatchObject({
      state: 'warning',
      hint: expect.stringContaining('DBMS_FLASHBACK'),
    });
  });

  it('goes on by its key, where each part sees its own moment and the server has forgotten that', async () => {
    fill('TIRED', 30);
    fake.server.tellsNumber = false;
    await using source = await open();
    const stream = await source.schema('TIRED');
    const [partition = null] = (await source.partitions(stream)).parts;
    fake.server.before = () => {
      throw new OracleError(1555, 'snapshot too old');
    };
    const read = async () => {
      for await (const batch of source.part(stream, partition)) expect(batch).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ kind: 'transient', code: 'snapshot_too_old' });
  });

  it('asks what is open after the newest value where there is no moment', async () => {
    fill('OWN', 5);
    fake.server.tellsNumber = false;
    fake.server.open?.add('t1-1-1-1');
    await using source = await open();
    const stream = await source.schema('OWN');
    const { after, parts } = await source.partitions(stream, { cursor: { column: 'CHANGED', lookbackMs: 0 } });
    for await (const batch of source.part(stream, parts[0] ?? null)) expect(rowsOf([batch as never])).toHaveLength(5);
    fake.writer.exec(`insert into own values (6, 'late', '2026-01-01 00:00:00.000')`);
    fake.server.open?.clear();
    const { rows } = await source.increment(stream, 'CHANGED', after);
    expect(numbers(rows)).toContain(6);
  });

  it('reads equal cursor values that arrive later, whatever the batches', async () => {
    fill('EQUAL', 20);
    await using source = await open();
    const stream = await source.schema('EQUAL');
    const first = await source.increment(stream, 'CHANGED', undefined, { size: SIZE });
    expect(numbers(first.rows)).toEqual(upTo(20));
    expect((await source.increment(stream, 'CHANGED', first.after, { size: SIZE })).rows).toEqual([]);
    fake.writer.exec(`insert into equal values (21, 'same', '${NOW}')`);
    const second = await source.increment(stream, 'CHANGED', first.after, { size: SIZE });
    expect(numbers(second.rows)).toContain(21);
  });

  it('reads the last minute again where the user may not see what is open', async () => {
    fill('MARGIN', 3);
    fake.server.open = undefined;
    await using source = await open();
    const stream = await source.schema('MARGIN');
    const first = await source.increment(stream, 'CHANGED', undefined);
    const asked: string[] = [];
    fake.server.before = (statement) => void asked.push(statement);
    await source.increment(stream, 'CHANGED', first.after).catch(() => undefined); // SQLite has no such intervals
    expect(asked.join()).toContain(`- numtodsinterval(60, 'SECOND')`);
    const report = await source.source.check(AbortSignal.timeout(5000));
    expect(report.steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      hint: expect.stringContaining('GV_$TRANSACTION'),
    });
  });

  it('names the row that has a time too fine to be kept', async () => {
    fake.writer.exec(`create table fine (id int primary key, changed text);
      insert into fine values (1, '2026-01-01 00:00:00.123456'), (2, '2026-01-01 00:00:00.1234567')`);
    fake.server.describe('FINE', [NUMBER, { name: 'CHANGED', type: 'TIMESTAMP(9)', scale: 9 }]);
    await using source = await open({ nanoseconds: 'fail' });
    await expect(source.full(await source.schema('FINE'))).rejects.toMatchObject({
      kind: 'data',
      code: 'time_too_fine',
      message: expect.stringMatching(/FINE.*CHANGED.*ID = 2/),
    });
  });
});

describe('errors by number', () => {
  const byNumber = (errorNum: number, code = 'ORA-XXXXX') =>
    classify(Object.assign(new Error(`ORA: said so\nHelp: https://docs.oracle.com/${errorNum}/`), { errorNum, code }));

  it.each([28, 54, 60, 1013, 1033, 1034, 1089, 1466, 1555, 1652, 2391, 4031, 8103, 8181, 12170, 12519, 12541])(
    '%i passes',
    (number) => {
      expect(byNumber(number)).toMatchObject({ kind: 'transient', message: 'ORA: said so', hint: expect.any(String) });
    },
  );

  it.each([
    [942, 'table_missing'],
    [1017, 'authentication_failed'],
    [1031, 'permission_denied'],
    [1045, 'login_refused'],
    [12505, 'database_missing'],
    [12514, 'database_missing'],
    [28000, 'login_refused'],
    [28001, 'login_refused'],
    [4063, 'view_invalid'],
  ])('%i is of the configuration: %s', (number, code) => {
    expect(byNumber(number)).toMatchObject({ kind: 'config', code, hint: expect.any(String) });
  });

  it.each([
    ['NJS-500', 'connection_lost'],
    ['NJS-503', 'unreachable'],
    ['NJS-510', 'connect_timeout'],
    ['NJS-123', 'timed_out'],
    ['ECONNREFUSED', 'unreachable'],
    ['ORA-03113', 'connection_lost'],
    ['ORA-00001', undefined],
    ['ORA-01017', 'authentication_failed'],
  ])('%s is %s', (code, expected) => {
    expect(classify(Object.assign(new Error('x'), { code }))?.code).toBe(expected);
  });

  it('knows nothing of others', () => expect(classify(new TypeError('x'))).toBeUndefined());
});
