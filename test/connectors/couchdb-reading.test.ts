import type { Row } from '../../lib/core/batch';
import { guardedNetwork } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { makeDatabases, openEndToEnd } from '../e2e/home';
import { couchdbServer } from '../servers/couchdb';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, makeDatabase, write } from './couchdb';

const ODD = ['quote "', "it's", 'é 🙂', 'a/b?c#d&e=f', ' ', '\\', '%41', '+', 'zz'];
const signal = () => AbortSignal.timeout(patient(20_000));

describeWithServer('documents of CouchDB', couchdbServer, (server) => {
  const open = (more: object = {}) => openSource('couchdb', { ...configOf(server()), ...more });
  const rowsOf = async (name: string, more: object = {}) => {
    await using source = await open(more);
    const schema = await source.schema(name);
    const batches = await source.full(schema);
    const rows = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
    const cell = (row: Row | undefined, column: string) =>
      row?.[schema.columns.findIndex(({ name: n }) => n === column)];
    return { schema, rows, cell };
  };

  it('are read whatever their ids and members are called, and read on behind each', async () => {
    await makeDatabase(server(), 'odd');
    await write(
      server(),
      'odd',
      ODD.map((_id, index) => ({ _id, [`m "${index}`]: index, 'é.🙂': _id })),
    );
    await using source = await open();
    const schema = await source.schema('odd');
    const all = await source.full(schema, { size: { rows: 1, bytes: 1 << 20 } });
    const ids = all.flatMap((batch) => (batch.kind === 'rows' ? batch.rows.map(([id]) => id) : []));
    expect([...ids].sort()).toEqual([...ODD].sort());
    for (const [index, { after }] of all.entries()) {
      const rest: unknown[] = [];
      for await (const batch of source.part(schema, null, { from: JSON.parse(JSON.stringify(after)) })) {
        if (batch.kind === 'rows') rest.push(...batch.rows.map(([id]) => id));
      }
      expect(rest).toEqual(ids.slice(index + 1));
    }
  });

  it('are read on behind one that was deleted in between', async () => {
    await makeDatabase(server(), 'gone');
    await write(
      server(),
      'gone',
      ['a', 'b', 'c', 'd'].map((_id) => ({ _id })),
    );
    await using source = await open();
    const schema = await source.schema('gone');
    const [first] = await source.full(schema, { size: { rows: 2, bytes: 1 << 20 } });
    await write(server(), 'gone', [{ _id: 'b', _deleted: true }]);
    const rest: unknown[] = [];
    for await (const batch of source.part(schema, null, first && { from: first.after })) {
      if (batch.kind === 'rows') rest.push(...batch.rows.map(([id]) => id));
    }
    expect(rest).toEqual(['c', 'd']);
  });

  it('keep attachments as what is known of them, show conflicts, and leave designs out', async () => {
    await makeDatabase(server(), 'kept');
    const { request } = server();
    const data = Buffer.from('hello').toString('base64');
    await request('PUT', '/kept/a', { _attachments: { 'f.txt': { content_type: 'text/plain', data } } });
    for (const rev of ['1-aaa', '1-bbb']) {
      await request('POST', '/kept/_bulk_docs', { new_edits: false, docs: [{ _id: 'b', _rev: rev, from: rev }] });
    }
    await request('PUT', '/kept/_design/d', { views: {} });
    const { rows, cell } = await rowsOf('kept');
    expect(rows.map(([id]) => id)).toEqual(['a', 'b']);
    expect(JSON.parse(String(cell(rows[0], '_attachments')))).toMatchObject({ 'f.txt': { length: 5, stub: true } });
    expect(cell(rows[1], '_rev')).toBe('1-bbb');
    expect(cell(rows[1], '_conflicts')).toBe('["1-aaa"]');
    const withDesigns = await rowsOf('kept', { design_documents: true });
    expect(withDesigns.rows.map(([id]) => id)).toEqual(['_design/d', 'a', 'b']);
  });

  it('may be large, of several types, and none at all', async () => {
    await makeDatabase(server(), 'shapes');
    const large = 'é'.repeat(4 << 20);
    await write(server(), 'shapes', [
      { _id: '1', large, mixed: 1, flag: true, none: null },
      { _id: '2', mixed: 'text', flag: false, none: null },
      { _id: '3', late: [1, { a: null }] },
    ]);
    const { rows, cell, schema } = await rowsOf('shapes', { documents: { sample: 2 } });
    expect(schema.columns.map(({ name, type }) => [name, type])).toEqual([
      ['_id', 'text'],
      ['_rev', 'text'],
      ['flag', 'bool'],
      ['large', 'text'],
      ['late', 'json'],
      ['mixed', 'decimal'],
      ['_explorerio_rest', 'json'],
    ]);
    expect(cell(rows[0], 'large')).toBe(large);
    expect(rows.map((row) => cell(row, '_explorerio_rest'))).toEqual([
      '{"none":null}',
      '{"mixed":"text","none":null}',
      null,
    ]);
    const whole = await rowsOf('shapes', { documents: { form: 'json' } });
    expect(whole.schema.columns.map(({ name }) => name)).toEqual(['_id', 'document']);
    expect(JSON.parse(String(whole.rows[2]?.[1]))).toMatchObject({ _id: '3', late: [1, { a: null }] });
    await makeDatabase(server(), 'empty');
    expect((await rowsOf('empty')).rows).toEqual([]);
  });

  it('of a database that is dropped, or made anew, are not taken for those that were planned', async () => {
    await makeDatabase(server(), 'fleeting');
    await write(
      server(),
      'fleeting',
      ['a', 'b', 'c'].map((_id) => ({ _id })),
    );
    await using source = await open();
    const schema = await source.schema('fleeting');
    const { after } = await source.increment(schema, '_seq', undefined);
    await server().request('DELETE', '/fleeting');
    const missing = { kind: 'config', code: 'database_missing', hint: expect.stringContaining('databases') };
    await expect(source.increment(schema, '_seq', after)).rejects.toMatchObject(missing);
    await expect(source.full(schema)).rejects.toMatchObject(missing);
    await server().request('PUT', '/fleeting');
    await expect(source.increment(schema, '_seq', after)).rejects.toMatchObject({
      kind: 'lost',
      code: 'sequence_lost',
    });
  });

  it('are selected by globs, those of the system only by name', async () => {
    await makeDatabase(server(), 'glob-a');
    await makeDatabase(server(), 'glob-b');
    const names = async (databases: string[]) => {
      await using source = await open({ databases });
      const infos = await source.source.discover(signal());
      return infos.map(({ schema, unreadable }) => `${schema.stream} ${unreadable?.code ?? 'ok'}`);
    };
    expect(await names(['glob-*', '!*-b'])).toEqual(['glob-a ok']);
    expect(await names(['glob-b', 'nowhere'])).toEqual(['glob-b ok', 'nowhere database_missing']);
    expect((await names(['*', '_users'])).filter((name) => name.startsWith('_'))).toEqual(['_users ok']);
  });

  it('come only from where the rules of the network allow', async () => {
    const config = configOf(server());
    const refused = { kind: 'config', code: 'address_refused' };
    await using byAddress = await openSource('couchdb', config, guardedNetwork({ allowed_ip_ranges: ['10.0.0.0/8'] }));
    await expect(byAddress.source.discover(signal())).rejects.toMatchObject(refused);
    const { steps } = await byAddress.source.check(signal());
    expect(steps.find((step) => step.state === 'failed')).toMatchObject({ name: 'connect', code: 'address_refused' });
    const named = { connection: { ...config.connection, host: 'couch.test' } };
    const answering = (address: string) =>
      guardedNetwork({ allowed_ip_ranges: ['127.0.0.0/8'] }, (_host, _options, done) =>
        done(null, [{ address, family: 4 }]),
      );
    await using trap = await openSource('couchdb', named, answering('169.254.169.254'));
    await expect(trap.source.discover(signal())).rejects.toMatchObject(refused);
    await using allowed = await openSource('couchdb', named, answering('127.0.0.1'));
    expect((await allowed.source.discover(signal())).length).toBeGreaterThan(0);
    await expect(openSource('couchdb', config, guardedNetwork({ require_ssl: true }))).rejects.toMatchObject({
      code: 'invalid_config',
    });
  });

  describeWithServer('in the destination', postgresql({ version: 18 }), (target) => {
    it('are what they were, and follow what changes, deletes included', async () => {
      await makeDatabase(server(), 'people');
      await write(server(), 'people', [
        { _id: 'a', name: 'Ann', age: 33.5, address: { city: 'Rome' } },
        { _id: 'b', name: 'Bob "é🙂"', age: 1e21 },
        { _id: 'c', name: 'gone' },
      ]);
      const databases = await makeDatabases(target());
      const home = await openEndToEnd(databases.targetUrl);
      const stored = async () => {
        const { rows } = await databases.target.query(
          'select _id, name, age, address, _explorerio_rest as rest from crm.people order by 1',
        );
        return rows;
      };
      try {
        const incremental = { sync_strategy: { type: 'incremental' } };
        await home.store({
          name: 'crm',
          type: 'couchdb',
          ...configOf(server()),
          databases: ['people'],
          ...incremental,
        });
        expect(await home.sync('crm')).toMatchObject({ state: 'succeeded', rows: 3, quarantined: 0 });
        const ann = { _id: 'a', name: 'Ann', age: '33.5', address: '{"city": "Rome"}', rest: null };
        const bob = { _id: 'b', name: 'Bob "é🙂"', age: '1000000000000000000000', address: null, rest: null };
        expect(await stored()).toEqual([ann, bob, { _id: 'c', name: 'gone', age: null, address: null, rest: null }]);
        await write(server(), 'people', [
          { _id: 'b', name: 'Bo', age: 'unknown' },
          { _id: 'c', _deleted: true },
        ]);
        expect(await home.sync('crm')).toMatchObject({ state: 'succeeded', rows: 2, quarantined: 0 });
        const [first, second, ...others] = await stored();
        expect([first, others]).toEqual([{ ...ann, age: first.age }, []]);
        expect(second).toMatchObject({ _id: 'b', name: 'Bo' });
        expect(await home.sync('crm')).toMatchObject({ state: 'succeeded', rows: 0 });
      } finally {
        await home.close();
        await databases.close();
      }
    }, 60_000);
  });
});
