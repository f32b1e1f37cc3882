import { openSource } from '../contracts/open-source';
import { faultOf } from '../contracts/source-reading';
import { type Databases, type EndToEnd, faultsOf, makeDatabases, openEndToEnd } from '../e2e/home';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type RunningFake, startFake } from './mssql';

describeWithServer('syncs of SQL Server, at the wire, into PostgreSQL', postgresql({ version: 18 }), (store) => {
  let fake: RunningFake;
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

  const stored = async () => {
    const columns = 'id::text, name, note, amount::text, version';
    const { rows } = await databases.target.query({
      text: `select ${columns} from shop.contract_items i order by i.id`,
      rowMode: 'array',
    });
    return rows as unknown[][];
  };
  const given = () => {
    const columns = `id, name, note, amount, '\\x' || lower(hex(version))`;
    const rows = fake.writer.prepare(`select ${columns} from contract_items order by id`).raw();
    return (rows.all() as unknown[][]).map(([id, ...others]) => [String(id), ...others]);
  };

  it('keep every value in full and by increments, and report the table that may not be read', async () => {
    await fake.seed(1200);
    fake.tables.describe('salaries', [{ name: 'id', type: 'bigint' }], true);
    fake.writer.exec('create table salaries (id integer primary key)');
    await program.store({
      name: 'shop',
      type: 'mssql',
      ...fake.config,
      sync_strategy: { type: 'incremental', timestamp_field: 'version' },
    });
    const first = await program.sync('shop');
    expect(first).toMatchObject({ state: 'partial', rows: 1200, quarantined: 0 });
    expect(faultsOf(first)).toEqual({ salaries: expect.objectContaining({ code: 'permission_denied' }) });
    expect(await stored()).toEqual(given());
    await fake.update([3, 4, 1200]);
    await fake.insert([1201, 1202]);
    const second = await program.sync('shop');
    expect(second).toMatchObject({ state: 'partial', quarantined: 0 });
    expect(second.rows).toBeLessThan(20);
    expect(await stored()).toEqual(given());
  });

  it('say which table is gone when one is dropped in the middle of its reading', async () => {
    await fake.seed(1200);
    await using source = await openSource('mssql', fake.config);
    const schema = await source.schema('contract_items');
    const { parts } = await source.partitions(schema);
    fake.writer.exec('drop table contract_items');
    const read = async () => {
      for await (const batch of source.part(schema, parts[0] ?? null)) expect(batch).toBeDefined();
    };
    expect(await faultOf(read)).toMatchObject({
      kind: 'config',
      code: 'table_missing',
      message: expect.stringContaining('contract_items'),
    });
  });
});
