import { openDestination } from '../../../lib/destinations';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query, silent } from '../postgresql';

describeWithServer('lookup in PostgreSQL (real)', postgresql({ version: 18 }), (server) => {
  const context = { integration: 'shop', namespace: 'lookups', deletes: 'hard' } as const;
  const look = async (
    match: string,
    keys: readonly string[],
    table = 'lookups.Things',
    value = 'val"ue',
    url?: string,
  ) => {
    const destination = await openDestination('postgresql', { url: url ?? server().url }, context, { log: silent });
    try {
      return await destination.lookup?.({ table, match, value, keys });
    } finally {
      await destination.close();
    }
  };

  beforeAll(async () => {
    await query(server(), 'CREATE SCHEMA lookups');
    await query(
      server(),
      `CREATE TABLE lookups."Things" (id integer, code character(3), short varchar(3), u uuid, day date, n numeric(6,2),
         at timestamptz, "val""ue" jsonb)`,
    );
    await query(
      server(),
      `INSERT INTO lookups."Things" VALUES
         (7, 'ab', 'abc', '0b6f1c5e-0000-4000-8000-000000000001', '2024-01-31', 1.50, '2024-01-31 10:00+00', '{"a": 1}'),
         (7, 'zz', 'zzz', NULL, NULL, NULL, NULL, '{"a": 0}')`,
    );
  });

  it.each([
    ['id', '007', '{"a": 0}'],
    ['code', 'ab', '{"a": 1}'],
    ['code', 'ab ', '{"a": 1}'],
    ['u', '0B6F1C5E000040008000000000000001', '{"a": 1}'],
    ['day', '2024-01-31', '{"a": 1}'],
    ['n', '1.5', '{"a": 1}'],
    ['at', '2024-01-31 12:00:00+02', '{"a": 1}'],
  ])('compares %s with %s as its own type, and takes the smallest of several', async (match, key, value) => {
    expect(await look(match, [key])).toEqual(new Map([[key, value]]));
  });

  it.each([
    ['code', 'abc'],
    ['code', 'abcd'],
    ['short', 'abcd'],
    ['n', '1.501'],
    ['u', 'no uuid'],
    ['day', 'no date'],
  ])('does not cut or round for %s: there is no %s', async (match, key) => {
    expect(await look(match, [key])).toEqual(new Map());
  });

  it('looks into views, and uses an index', async () => {
    await query(server(), 'CREATE VIEW lookups.seen AS SELECT id, code FROM lookups."Things" WHERE code = \'zz\'');
    expect(await look('id', ['7'], 'lookups.seen', 'code')).toEqual(new Map([['7', 'zz']]));
    await query(
      server(),
      'CREATE TABLE lookups.many AS SELECT g AS id, g::text AS name FROM generate_series(1, 50000) g',
    );
    await query(server(), 'CREATE INDEX ON lookups.many (id)');
    await query(server(), 'ANALYZE lookups.many');
    const scans = async () =>
      Number((await query(server(), `SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'many'`))[0]?.seq_scan);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const before = await scans();
    expect(await look('id', ['1', '49999', '50001'], 'lookups.many', 'name')).toEqual(
      new Map([
        ['1', '1'],
        ['49999', '49999'],
      ]),
    );
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await scans()).toBe(before);
  });

  it('names the permission that is missing', async () => {
    await query(server(), `CREATE ROLE looker LOGIN PASSWORD 'looker'`);
    await query(server(), 'GRANT USAGE ON SCHEMA lookups TO looker');
    const url = new URL(server().url);
    url.username = 'looker';
    url.password = 'looker';
    await expect(look('id', ['7'], undefined, undefined, url.toString())).rejects.toMatchObject({
      kind: 'config',
      code: 'permission_denied',
      hint: expect.stringContaining('SELECT'),
    });
  });
});
