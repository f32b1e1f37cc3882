import type { ServerResponse } from 'node:http';
import type { Position } from '../../lib/core/position';
import { openSource } from '../contracts/open-source';
import { type BreakableHttp, type HttpRequest, startBreakableHttp } from '../servers/breakable-http';
import { patient } from '../servers/patience';

const signal = () => AbortSignal.timeout(patient(20_000));
const INFO = {
  db_name: 'shop',
  doc_count: 2,
  update_seq: '12-g1AAAAB5eJzLYWBg',
  sizes: { external: 2000, active: 1000, file: 3000 },
  instance_start_time: '1712000000',
  cluster: { q: 2, n: 1, w: 1, r: 1 },
};
const DOCS = `{"total_rows":2,"offset":0,"rows":[
{"id":"a","key":"a","value":{"rev":"1-x"},"doc":{"_id":"a","_rev":"1-x","n":12345678901234567890.10,"big":1e3}},
{"id":"b","key":"b","value":{"rev":"2-y"},"doc":{"_id":"b","_rev":"2-y","n":-9007199254740993,"big":123456789012345678901234567890}}
]}`;
const CHANGES = `{"results":[
{"seq":"11-g1AAA+b/c=","id":"a","changes":[{"rev":"3-z"}],"doc":{"_id":"a","_rev":"3-z","n":0.1,"big":1}},
{"seq":"12-g1AAAAB5eJzLYWBg","id":"b","changes":[{"rev":"3-y"}],"deleted":true,"doc":{"_id":"b","_rev":"3-y","_deleted":true}}
],
"last_seq":"12-g1AAAAB5eJzLYWBg","pending":0}`;

type Answers = (
  request: HttpRequest,
  url: URL,
) => readonly [status: number, body: string, headers?: object] | 'hang up' | 'cut';

/** CouchDB 3 as its answers are documented; the emulator has whole numbers as sequences and floating-point numbers. */
const asCouch: Answers = (_request, { pathname }) => {
  if (pathname === '/') return [200, '{"couchdb":"Welcome","version":"3.4.2"}'];
  if (pathname === '/_all_dbs') return [200, '["_users","shop"]'];
  if (pathname === '/shop') return [200, JSON.stringify(INFO)];
  if (pathname === '/shop/_all_docs') return [200, DOCS];
  if (pathname === '/shop/_changes') return [200, CHANGES];
  return [404, '{"error":"not_found","reason":"Database does not exist."}'];
};

describe('answers of CouchDB 3', () => {
  let http: BreakableHttp;
  let answers: Answers = asCouch;

  beforeEach(async () => {
    answers = asCouch;
    http = await startBreakableHttp((request, response) => answer(request, response));
  });
  afterEach(() => http.down());

  function answer(request: HttpRequest, response: ServerResponse): void {
    const given = answers(request, new URL(request.path, http.url));
    if (given === 'hang up') return void response.socket?.destroy();
    if (given === 'cut') {
      response.writeHead(200).write(DOCS.slice(0, DOCS.length / 2));
      setTimeout(() => response.socket?.destroy(), 20);
      return;
    }
    const [status, body, headers] = given;
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  }

  const open = (connection: object = {}, more: object = {}) =>
    openSource('couchdb', { connection: { url: http.url, username: 'u', password: 'secret', ...connection }, ...more });
  const pathsOf = (path: string) =>
    http.requests.map((one) => new URL(one.path, http.url)).filter((url) => url.pathname === path);

  it('keep all digits', async () => {
    await using source = await open();
    const schema = await source.schema('shop');
    expect(schema.columns.map(({ name, type }) => [name, type])).toEqual([
      ['_id', 'text'],
      ['_rev', 'text'],
      ['big', 'decimal'],
      ['n', 'decimal'],
      ['_explorerio_rest', 'json'],
    ]);
    const [batch] = await source.full(schema);
    expect(batch?.kind === 'rows' && batch.rows).toEqual([
      ['a', '1-x', '1000', '12345678901234567890.10', null],
      ['b', '2-y', '123456789012345678901234567890', '-9007199254740993', null],
    ]);
  });

  it('give changes from the sequence before a full read on, whatever it looks like, with deletes', async () => {
    await using source = await open();
    const schema = await source.schema('shop');
    const { after } = await source.partitions(schema, { cursor: { column: '_seq', lookbackMs: 0 } });
    answers = (request, url) =>
      url.pathname === '/shop' ? [200, JSON.stringify({ ...INFO, update_seq: '14-g1xyz' })] : asCouch(request, url);
    const { batches, after: reached } = await source.increment(schema, '_seq', after);
    expect(batches).toMatchObject([
      {
        rows: [
          ['a', '3-z', '1', '0.1', null],
          ['b', null, null, null, null],
        ],
        ops: Uint8Array.of(0, 2),
      },
    ]);
    expect(pathsOf('/shop/_changes')[0]?.searchParams.get('since')).toBe(INFO.update_seq);
    await source.increment(schema, '_seq', reached);
    expect(pathsOf('/shop/_changes')[1]?.searchParams.get('since')).toBe('12-g1AAAAB5eJzLYWBg');
  });

  it('end an increment at the sequence it began with, though more is written all the time', async () => {
    let written = 12;
    const endless: Answers = (request, url) => {
      if (url.pathname !== '/shop/_changes') return asCouch(request, url);
      const results = Array.from({ length: Number(url.searchParams.get('limit')) }, () => {
        written++;
        return { seq: `${written}-x`, id: String(written), changes: [], doc: { _id: String(written) } };
      });
      return [200, JSON.stringify({ results })];
    };
    answers = endless;
    await using source = await open();
    const { rows } = await source.increment(await source.schema('shop'), '_seq', undefined);
    expect(rows.length).toBeGreaterThan(0);
    expect(pathsOf('/shop/_changes')).toHaveLength(1);
  });

  it.each([
    ['a database that was made again', { instance_start_time: '1713000000' }],
    ['fewer changes than were read', { update_seq: '3-g1AAA' }],
  ])('%s has lost the sequence', async (_title, change) => {
    await using source = await open();
    const schema = await source.schema('shop');
    const { parts, after } = await source.partitions(schema, { cursor: { column: '_seq', lookbackMs: 0 } });
    answers = (request, url) =>
      url.pathname === '/shop' ? [200, JSON.stringify({ ...INFO, ...change })] : asCouch(request, url);
    const lost = { kind: 'lost', code: 'sequence_lost' };
    await expect(source.increment(schema, '_seq', after)).rejects.toMatchObject(lost);
    if (!('instance_start_time' in change)) return;
    const resume = () =>
      source
        .part(schema, parts[0] ?? null)
        [Symbol.asyncIterator]()
        .next();
    await expect(resume()).rejects.toMatchObject(lost);
  });

  it('refuse a sequence that they do not know', async () => {
    answers = (request, url) =>
      url.pathname.endsWith('_changes')
        ? [400, '{"error":"bad_request","reason":"Malformed sequence"}']
        : asCouch(request, url);
    await using source = await open();
    const from: Position = { format: 1, value: { since: '5-zzz', instance: INFO.instance_start_time } };
    await expect(source.increment(await source.schema('shop'), '_seq', from)).rejects.toMatchObject({ kind: 'lost' });
  });

  it('say that one database may not be read, and the others are', async () => {
    answers = (request, url) => {
      if (url.pathname === '/_all_dbs') return [200, '["other","shop","third"]'];
      if (url.pathname === '/other')
        return [403, '{"error":"forbidden","reason":"You are not allowed to access this db."}'];
      if (url.pathname === '/third') return [200, JSON.stringify(INFO)];
      if (url.pathname === '/third/_all_docs') return [403, '{"error":"forbidden"}'];
      return asCouch(request, url);
    };
    await using source = await open();
    const infos = await source.source.discover(signal());
    expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
      ['other', 'permission_denied'],
      ['shop', undefined],
      ['third', 'permission_denied'],
    ]);
    expect(infos[0]?.unreadable?.message).toBe(
      'asking for other: the answer is 403 (forbidden: You are not allowed to access this db.)',
    );
    expect((await source.source.check(signal())).steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      detail: '2 of 3 databases can be read; not other',
    });
  });

  it.each([
    [[429, ''], 'transient', 'throttled'],
    [[503, '<html>'], 'transient', 'server_unavailable'],
    [[200, '<html>'], 'config', 'request_refused'],
    [[302, '', { location: 'http://elsewhere' }], 'config', 'redirected'],
    [[401, '{"error":"unauthorized"}'], 'config', 'authentication_failed'],
    ['hang up', 'transient', 'connection_lost'],
  ] as const)('such as %j are %s: %s', async (given, kind, code) => {
    answers = () => given;
    await using source = await open();
    await expect(source.source.discover(signal())).rejects.toMatchObject({ kind, code, hint: expect.any(String) });
  });

  it('that are cut off, or never come, are asked for again', async () => {
    await using source = await open({ request_timeout: '200ms' });
    const schema = await source.schema('shop');
    answers = (request, url) => (url.pathname.endsWith('_all_docs') ? 'cut' : asCouch(request, url));
    await expect(source.full(schema)).rejects.toMatchObject({ kind: 'transient', code: 'connection_lost' });
    http.answer('never');
    await expect(source.full(schema)).rejects.toMatchObject({ kind: 'transient', code: 'timeout' });
    http.answer(undefined);
    answers = asCouch;
    expect(await source.full(schema)).toHaveLength(2); // the second only ends it
  });

  it('are waited for by a slow reader, however long it takes', async () => {
    await using source = await open({ request_timeout: '100ms' });
    const schema = await source.schema('shop');
    const ids: unknown[] = [];
    for await (const batch of source.part(schema, null, { size: { rows: 1, bytes: 1 << 20 } })) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (batch.kind === 'rows') ids.push(...batch.rows.map(([id]) => id));
    }
    expect(ids).toEqual(['a', 'b']);
  });

  it('ask for a login by cookie once, and again when its session has ended', async () => {
    let sessions = 0;
    let valid = '';
    answers = (request, url) => {
      if (url.pathname === '/_session') {
        expect(JSON.parse(request.body.toString())).toEqual({ name: 'u', password: 'secret' });
        sessions++;
        valid = `AuthSession=token${sessions}`;
        return [200, '{"ok":true}', { 'set-cookie': `${valid}; Version=1; Path=/; HttpOnly` }];
      }
      expect(request.headers.authorization).toBeUndefined();
      return request.headers.cookie === valid ? asCouch(request, url) : [401, '{"error":"unauthorized"}'];
    };
    await using source = await open({ login: 'cookie' });
    const schema = await source.schema('shop');
    await source.full(schema);
    expect(sessions).toBe(1);
    valid = 'AuthSession=none';
    expect(await source.full(schema)).toHaveLength(2); // the second only ends it
    expect(sessions).toBe(2);
    answers = () => [401, '{"error":"unauthorized"}'];
    await expect(source.full(schema)).rejects.toMatchObject({ code: 'authentication_failed' });
  });

  it('come from behind the path of a proxy, to user and password of the URL', async () => {
    answers = ({ headers }, url) => {
      expect(headers.authorization).toBe(`Basic ${Buffer.from('us er:p@ss').toString('base64')}`);
      expect(url.pathname).toMatch(/^\/couch\//);
      return asCouch({} as HttpRequest, new URL(url.pathname.replace('/couch', ''), http.url));
    };
    const url = `${http.url.replace('http://', 'http://us%20er:p%40ss@')}/couch`;
    await using source = await openSource('couchdb', { connection: { url } });
    expect((await source.source.check(signal())).passed).toBe(true);
  });
});
