import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Row } from '../../../lib/core/batch';
import type { Destination, DestinationContext } from '../../../lib/core/destination';
import type { StreamSchema } from '../../../lib/core/schema';
import { openDestination } from '../../../lib/destinations';
import { column, options, orders, rowBatch } from '../../contracts/destination-harness';
import { patient } from '../../servers/patience';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query, silent } from '../postgresql';

const signal = new AbortController().signal;
const schema = orders();

for (const version of [15, 18] as const) {
  describeWithServer(`swap on PostgreSQL ${version}`, postgresql({ version }), (server) => {
    // The two that wait for seconds run on one version each.
    const opened: Destination[] = [];
    let number = 0;
    const sql = (text: string) => query(server(), text);
    afterEach(async () => {
      for (const destination of opened.splice(0)) await destination.close();
    });

    async function start(deletes: DestinationContext['deletes'] = 'hard') {
      const ns = `swap_${++number}`;
      const context = { integration: 'shop', namespace: ns, deletes };
      const destination = await openDestination('postgresql', { url: server().url }, context, { log: silent });
      opened.push(destination);
      let loads = 0;
      const load = async (rows: Row[], shape: StreamSchema = schema) => {
        const name = `load-${++loads}`;
        const slice = { integration: 'shop', stream: 'orders', partition: 'all', load: name };
        await destination.prepare(slice, shape);
        await destination.claim(slice, 1);
        await destination.write(rowBatch(shape, rows), slice, options());
        return { publish: () => destination.publish(shape, name, { signal }) };
      };
      const full = async (rows: Row[], shape: StreamSchema = schema) => (await load(rows, shape)).publish();
      return { ns, destination, load, full };
    }

    const generation = (name: string, count = 50): Row[] =>
      Array.from({ length: count }, (_, id) => [BigInt(id), name]);

    it('never shows a reader nothing, half, or a mixture', async () => {
      const { ns, full } = await start();
      await full(generation('0'));
      let done = false;
      const seen = new Set<string>();
      const reader = async () => {
        const client = new Client({ connectionString: server().url });
        await client.connect();
        while (!done) {
          const { rows } = await client.query(
            `SELECT count(*)::int AS count, min(name) AS low, max(name) AS high FROM ${ns}.orders`,
          );
          expect(rows[0].count).toBe(50);
          expect(rows[0].low).toBe(rows[0].high);
          seen.add(rows[0].low);
        }
        await client.end();
      };
      const readers = [reader(), reader()];
      for (let round = 1; round <= 8; round++) expect((await full(generation(String(round)))).notes).toEqual([]);
      done = true;
      await Promise.all(readers);
      expect(seen.size).toBeGreaterThan(2);
    });

    if (version === 18)
      it('shows a transaction with an old snapshot the old records', async () => {
        const { ns, full, load } = await start();
        await full(generation('old'));
        const { publish } = await load(generation('unseen', 3));
        const reader = new Client({ connectionString: server().url });
        await reader.connect();
        // The snapshot is older than the load's own commits.
        await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
        const second = await load(generation('new', 3));
        const { notes } = await second.publish();
        expect(notes.join()).toMatch(/transaction is open/);
        const { rows } = await reader.query(`SELECT DISTINCT name, count(*) OVER () AS count FROM ${ns}.orders`);
        expect(rows).toEqual([{ name: 'old', count: '50' }]);
        await reader.query('COMMIT');
        expect(await sql(`SELECT DISTINCT name FROM ${ns}.orders`)).toEqual([{ name: 'new' }]);
        await reader.end();
        expect((await publish()).rows).toBe(3);
      });

    it('carries over views of views, rights, owner, comments, options and indexes', async () => {
      const { ns, full } = await start();
      await full(generation('a'));
      const [owner, reader] = [`${ns}_owner`, `${ns}_reader`];
      await sql(`
        CREATE ROLE ${owner}; CREATE ROLE ${reader}; GRANT CREATE, USAGE ON SCHEMA ${ns} TO ${owner};
        CREATE VIEW ${ns}."Plain View" (key, "the name") WITH (security_barrier) AS SELECT id, name FROM ${ns}.orders WHERE id > 1;
        CREATE VIEW ${ns}.second AS SELECT v.key, o.name FROM ${ns}."Plain View" v JOIN ${ns}.orders o ON o.id = v.key;
        COMMENT ON VIEW ${ns}.second IS 'it''s mine'; COMMENT ON COLUMN ${ns}.second.key IS 'k';
        ALTER VIEW ${ns}.second OWNER TO ${owner}; GRANT SELECT ON ${ns}."Plain View" TO ${owner}; GRANT SELECT ON ${ns}.second TO ${reader} WITH GRANT OPTION;
        GRANT SELECT (id), UPDATE (name) ON ${ns}.orders TO ${reader}; GRANT SELECT ON ${ns}.orders TO PUBLIC;
        COMMENT ON TABLE ${ns}.orders IS 'all orders'; COMMENT ON COLUMN ${ns}.orders.name IS 'its "name"';
        ALTER TABLE ${ns}.orders SET (fillfactor = 77); ALTER TABLE ${ns}.orders OWNER TO ${owner};
        CREATE INDEX "My Index" ON ${ns}.orders (lower(name)) WHERE id > 3; COMMENT ON INDEX ${ns}."My Index" IS 'mine';
        CREATE UNIQUE INDEX ON ${ns}.orders (id DESC) INCLUDE (name)`);
      const facts = () =>
        sql(`SELECT c.relname, c.relkind, c.relacl::text, pg_get_userbyid(c.relowner) AS owner, c.reloptions::text AS options,
          obj_description(c.oid, 'pg_class') AS comment,
          CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) END AS definition,
          (SELECT string_agg(attname || coalesce(attacl::text, '') || coalesce(col_description(c.oid, attnum), ''), ',' ORDER BY attnum)
           FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0) AS columns
          FROM pg_class c WHERE c.relnamespace = '${ns}'::regnamespace AND c.relname !~ '^_explorerio_(pos|tab|loa|qua|sha)'
          ORDER BY c.relname`);
      const before = await facts();
      expect(before.length).toBe(6);
      expect((await full(generation('b'))).notes).toEqual([]);
      expect(await facts()).toEqual(before);
      expect(await sql(`SELECT DISTINCT name FROM ${ns}.second`)).toEqual([{ name: 'b' }]);
    });

    it.each([
      ['a materialized view', (ns: string) => `CREATE MATERIALIZED VIEW ${ns}.m AS SELECT * FROM ${ns}.orders`],
      [
        'a foreign key',
        (ns: string) =>
          `CREATE TABLE ${ns}.items (id bigint REFERENCES ${ns}.orders); INSERT INTO ${ns}.items VALUES (1)`,
      ],
      [
        'row security',
        (ns: string) =>
          `ALTER TABLE ${ns}.orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON ${ns}.orders USING (true)`,
      ],
      ['a publication', (ns: string) => `CREATE PUBLICATION ${ns}_p FOR TABLE ${ns}.orders`],
      ['a child', (ns: string) => `CREATE TABLE ${ns}.child () INHERITS (${ns}.orders)`],
      [
        'a function of the row type',
        (ns: string) => `CREATE FUNCTION ${ns}.f(${ns}.orders) RETURNS text LANGUAGE sql AS 'SELECT $1.name'`,
      ],
      [
        'a function body',
        (ns: string) =>
          `CREATE FUNCTION ${ns}.g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM ${ns}.orders; END`,
      ],
      ['a check', (ns: string) => `ALTER TABLE ${ns}.orders ADD CHECK (id >= 0)`],
      [
        'a trigger',
        (ns: string) => `CREATE FUNCTION ${ns}.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
          CREATE TRIGGER t BEFORE INSERT ON ${ns}.orders FOR EACH ROW EXECUTE FUNCTION ${ns}.t()`,
      ],
      [
        'a view with a trigger',
        (ns: string) => `CREATE VIEW ${ns}.v AS SELECT * FROM ${ns}.orders;
          CREATE FUNCTION ${ns}.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
          CREATE TRIGGER t INSTEAD OF INSERT ON ${ns}.v FOR EACH ROW EXECUTE FUNCTION ${ns}.t()`,
      ],
    ])('moves the records and says why where there is %s', async (_, create) => {
      const { ns, full } = await start();
      await full(generation('a'));
      await sql(create(ns));
      const [before] = await sql(`SELECT '${ns}.orders'::regclass::oid AS oid`);
      const { rows, notes } = await full(generation('b', 40));
      expect(rows).toBe(40);
      expect(notes.join()).toMatch(/moved one by one/);
      expect(await sql(`SELECT name, count(*) FROM ONLY ${ns}.orders GROUP BY 1`)).toEqual([
        { name: 'b', count: '40' },
      ]);
      expect(await sql(`SELECT '${ns}.orders'::regclass::oid AS oid`)).toEqual([before]);
      expect(await sql(`SELECT relname FROM pg_class WHERE relname LIKE '\\_explorerio\\_load\\_%'`)).toEqual([]);
    });

    it('fails and leaves the old records where a dependent object makes both ways impossible', async () => {
      const { ns, full } = await start();
      await full(generation('a', 3));
      await sql(`CREATE MATERIALIZED VIEW ${ns}.narrow AS SELECT name FROM ${ns}.orders`);
      const bytes = orders([column('id', 'int64'), column('name', 'bytes')]);
      const failing = full([[1n, Buffer.from('x')]], bytes);
      // text holds everything, so the column that must change is one of another type
      await expect(failing).resolves.toMatchObject({ rows: 1 });
      const numbers = orders([column('id', 'uuid'), column('name', 'text')]);
      await sql(`CREATE MATERIALIZED VIEW ${ns}.ids AS SELECT id FROM ${ns}.orders`);
      await expect(full([['00000000-0000-0000-0000-00000000000a', 'x']], numbers)).rejects.toMatchObject({
        kind: 'config',
        message: expect.stringContaining(`${ns}.ids`),
      });
      expect(await sql(`SELECT id FROM ${ns}.orders`)).toEqual([{ id: '1' }]);
    });

    it('widens a column under plain views, and names an object that keeps it from being widened', async () => {
      const { ns, destination } = await start();
      const slice = { integration: 'shop', stream: 'orders', partition: 'increment' };
      const narrow = orders([column('id', 'int64'), column('n', 'int32')]);
      await destination.prepare(slice, narrow);
      await sql(`CREATE VIEW ${ns}.v AS SELECT n + 1 AS m FROM ${ns}.orders; COMMENT ON VIEW ${ns}.v IS 'kept'`);
      const wide = orders([column('id', 'int64'), column('n', 'int64')]);
      expect((await destination.prepare(slice, wide)).changes).toEqual(['widened column n from integer to bigint']);
      expect(await sql(`SELECT obj_description('${ns}.v'::regclass) AS comment`)).toEqual([{ comment: 'kept' }]);
      await sql(`CREATE MATERIALIZED VIEW ${ns}.fixed AS SELECT n FROM ${ns}.orders`);
      const wider = orders([column('id', 'int64'), column('n', 'decimal')]);
      await expect(destination.prepare(slice, wider)).rejects.toMatchObject({
        kind: 'config',
        code: 'column_in_use',
        message: expect.stringContaining(`${ns}.fixed`),
      });
      expect(await sql(`SELECT m FROM ${ns}.v`)).toEqual([]);
    });

    it('keeps deleted records marked when deletes are soft, in both ways', async () => {
      const { ns, full } = await start('soft');
      await full(generation('a', 3));
      await full([[1n, 'b']]);
      const marked = () =>
        sql(`SELECT id, name, _explorerio_deleted_at IS NOT NULL AS gone FROM ${ns}.orders ORDER BY id`);
      const expected = [
        { id: '0', name: 'a', gone: 't' },
        { id: '1', name: 'b', gone: 'f' },
        { id: '2', name: 'a', gone: 't' },
      ];
      expect(await marked()).toEqual(expected);
      await sql(`CREATE MATERIALIZED VIEW ${ns}.m AS SELECT * FROM ${ns}.orders`);
      await full([[2n, 'c']]);
      expect(await marked()).toEqual([
        { id: '0', name: 'a', gone: 't' },
        { id: '1', name: 'b', gone: 't' },
        { id: '2', name: 'c', gone: 'f' },
      ]);
    });

    if (version === 15)
      it('does not keep other readers waiting behind a long one', async () => {
        const { ns, full, load } = await start();
        await full(generation('a', 3));
        const long = new Client({ connectionString: server().url });
        await long.connect();
        await long.query(`BEGIN; SELECT * FROM ${ns}.orders`);
        const { publish } = await load(generation('b', 3));
        const publishing = publish();
        let slowest = 0;
        for (let read = 0; read < 20; read++) {
          const start = Date.now();
          await sql(`SELECT * FROM ${ns}.orders`);
          slowest = Math.max(slowest, Date.now() - start);
          await sleep(20);
        }
        expect(slowest).toBeLessThan(patient(2500));
        await long.query('COMMIT');
        await long.end();
        expect((await publishing).rows).toBe(3);
      });
  });
}
