import { type Databases, type EndToEnd, makeDatabases, openEndToEnd } from '../e2e/home';
import type { FakeColumn } from '../servers/oracle-tables';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { startFake } from './oracle';

const DIGITS = `${'9'.repeat(38)}`;
const COLUMNS: readonly FakeColumn[] = [
  { name: 'ID', type: 'NUMBER', precision: 18, scale: 0 },
  { name: 'ANY_NUMBER', type: 'NUMBER', nullable: true },
  { name: 'NAME', type: 'NVARCHAR2', nullable: true },
  { name: 'PICTURE', type: 'RAW', nullable: true },
  { name: 'BORN', type: 'DATE', nullable: true },
  { name: 'FINE', type: 'TIMESTAMP(9)', scale: 9, nullable: true },
  { name: 'ZONED', type: 'TIMESTAMP(6) WITH TIME ZONE', scale: 6, nullable: true },
  { name: 'CHANGED', type: 'TIMESTAMP(3)', scale: 3 },
];
const EXTREME = `-999999999999999999, '${DIGITS}.5', 'é🙂', x'00ff', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999999',
  '2026-01-01 09:00:00.000001', '2026-01-02 03:04:05.678'`;

describeWithServer('syncs of Oracle, at the seam, into PostgreSQL', postgresql({ version: 18 }), (store) => {
  let fake: Awaited<ReturnType<typeof startFake>>;
  let databases: Databases;
  let program: EndToEnd;

  beforeAll(async () => {
    fake = await startFake();
    databases = await makeDatabases(store());
    program = await openEndToEnd(databases.targetUrl);
  });
  afterAll(async () => {
    await program?.close();
    await databases?.close();
    await fake?.stop();
  });

  const read = async (sql: string) => (await databases.target.query({ text: sql, rowMode: 'array' })).rows;

  it('keep every value, with a key and without', async () => {
    for (const [table, key] of [
      ['KEYED', ['ID']],
      ['LOOSE', []],
    ] as const) {
      fake.writer.exec(`create table ${table} (id int, any_number text, name text, picture blob, born text, fine text, zoned text, changed text);
        insert into ${table} values (${EXTREME}), (2, null, null, null, null, null, null, '2026-01-02 03:04:05.678')`);
      fake.server.describe(table, COLUMNS, key, 20_000);
    }
    await program.store({
      name: 'shop',
      type: 'oracle',
      connection: fake.connection,
      sync_strategy: { type: 'incremental', timestamp_field: 'CHANGED' },
    });
    expect(await program.sync('shop')).toMatchObject({ state: 'succeeded', rows: 4, quarantined: 0 });
    fake.writer.exec(`update keyed set name = 'new', changed = '2026-01-03 00:00:00.000' where id = 2`);
    expect(await program.sync('shop')).toMatchObject({ state: 'succeeded', quarantined: 0 });
    const list = COLUMNS.map(({ name }) => `"${name}"::text`).join(', ');
    for (const table of ['KEYED', 'LOOSE']) {
      expect(await read(`select ${list} from shop."${table}" where "ID" < 0`)).toEqual([
        [
          '-999999999999999999',
          `${DIGITS}.5`,
          'é🙂',
          '\\x00ff',
          '0001-01-01 00:00:00',
          '9999-12-31 23:59:59.999999999',
          expect.stringMatching(/^2026-01-01 09:00:00.000001\+00/),
          '2026-01-02 03:04:05.678',
        ],
      ]);
    }
    expect(await read('select "NAME" from shop."KEYED" where "ID" = 2')).toEqual([['new']]);
  });
});
