import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { guardedNetwork, type NetworkSecurity } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { faultOf } from '../contracts/source-reading';
import { Files } from './sqlite';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('an SQLite file that is fetched', () => {
  const files = new Files();
  const requests: IncomingMessage[] = [];
  let file: Buffer;
  let answer: Answer;
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  let port: number;
  beforeAll(async () => {
    const database = files.writer('shop.db', 'delete');
    database.exec(`create table t (id integer primary key, text text); insert into t values (1, 'one')`);
    database.close();
    file = readFileSync(files.path('shop.db'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => {
    requests.length = 0;
    answer = (_, response) => response.end(file);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    files.remove();
  });

  const fetched = () => readdirSync(tmpdir()).filter((name) => /^explorerio-[0-9a-f-]+\.db/.test(name));
  const urlOf = (path = '/shop.db?signature=sesame') => `http://reader:abracadabra@127.0.0.1:${port}${path}`;
  const read = async (connection: object = {}, security?: NetworkSecurity) => {
    const config = { connection: { url: urlOf(), ...connection } };
    await using source = await openSource('sqlite', config, security && guardedNetwork(security));
    const batches = await source.full(await source.schema('t'));
    await source.increment(await source.schema('t'), 'id', undefined);
    return batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
  };
  const problem = async (connection: object = {}, security?: NetworkSecurity) => {
    const before = fetched();
    const fault = await faultOf(() => read(connection, security));
    expect(fetched()).toEqual(before);
    expect(JSON.stringify([fault, fault.stack])).not.toMatch(/sesame|abracadabra/);
    return fault;
  };

  it('is fetched once with the login of its address, and removed in the end', async () => {
    const before = fetched();
    let during: string[] = [];
    answer = (_, response) => {
      response.write(file.subarray(0, 10));
      setTimeout(() => {
        during = fetched();
        response.end(file.subarray(10));
      }, 50);
    };
    expect(await read()).toEqual([[1n, 'one']]);
    expect(during).toHaveLength(before.length + 1);
    expect(fetched()).toEqual(before);
    expect(requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/shop.db?signature=sesame', `Basic ${btoa('reader:abracadabra')}`],
    ]);
  });

  it('is looked for where the server says, without the login elsewhere', async () => {
    answer = ({ url, headers }, response) => {
      if (url === '/shop.db') return response.writeHead(302, { location: '/moved.db' }).end();
      if (url === '/moved.db') {
        return response.writeHead(307, { location: `http://localhost:${headers.host?.split(':')[1]}/end.db` }).end();
      }
      response.end(file);
    };
    expect(await read({ url: urlOf('/shop.db') })).toEqual([[1n, 'one']]);
    expect(requests.map(({ url, headers }) => [url, headers.authorization !== undefined])).toEqual([
      ['/shop.db', true],
      ['/moved.db', true],
      ['/end.db', false],
    ]);
    answer = (_, response) => response.writeHead(302, { location: '/again' }).end();
    expect(await problem()).toMatchObject({ kind: 'config', code: 'download_refused' });
    expect(requests.length).toBeLessThan(12);
  });

  it.each([
    [401, 'config', 'download_forbidden'],
    [403, 'config', 'download_forbidden'],
    [404, 'config', 'download_refused'],
    [500, 'transient', 'server_error'],
    [503, 'transient', 'server_error'],
  ])('with status %s is %s', async (status, kind, code) => {
    answer = (_, response) => response.writeHead(status).end('sesame');
    expect(await problem()).toMatchObject({ kind, code, message: expect.stringContaining(String(status)) });
  });

  it('has a bound, and a time', async () => {
    answer = (_, response) => {
      const more = () => response.destroyed || response.write(Buffer.alloc(1 << 16), () => setImmediate(more));
      more();
    };
    expect(await problem({ max_megabytes: 1 })).toMatchObject({ kind: 'config', code: 'file_too_large' });
    answer = (_, response) => response.write(file.subarray(0, 10));
    expect(await problem({ download_timeout: '200ms' })).toMatchObject({ kind: 'transient', code: 'download_timeout' });
  });

  it('that ends too early is not taken for the whole', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': file.length });
      response.write(file.subarray(0, 5000), () => response.destroy());
    };
    expect(await problem()).toMatchObject({ kind: 'transient', code: 'unreachable' });
  });

  it('obeys the rules of the network', async () => {
    expect(await read({}, { allowed_ip_ranges: ['127.0.0.0/8'] })).toEqual([[1n, 'one']]);
    requests.length = 0;
    expect(await problem({}, { allowed_ip_ranges: ['10.0.0.0/8'] })).toMatchObject({ code: 'address_refused' });
    const byName = { url: `http://localhost:${port}/shop.db` };
    expect(await problem(byName, { allowed_ip_ranges: ['10.0.0.0/8'] })).toMatchObject({ code: 'address_refused' });
    expect(await problem({}, { require_ssl: true })).toMatchObject({
      code: 'invalid_config',
      issues: [{ path: 'connection.url', message: expect.stringContaining('https://') }],
    });
    expect(requests).toEqual([]);
    answer = (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    expect(await problem({}, {})).toMatchObject({ code: 'address_refused' });
  });
});
