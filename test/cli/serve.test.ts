import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { patient } from '../servers/patience';
import { Program, type Running } from './program';

let program: Program;
let data: string;
const running: Running[] = [];

beforeAll(() => {
  program = new Program();
  data = join(program.scratch, 'data');
});

afterAll(async () => {
  for (const one of running) {
    one.process.kill('SIGKILL');
    await one.ended;
  }
  // Takes over a server that was left behind, and stops it.
  if (existsSync(data)) await program.run(['check', 'sample', '--data', data]);
  program.remove();
});

async function serve(...args: string[]): Promise<{ server: Running; url: string }> {
  const server = program.start(['serve', '--port', '0', '--data', data, ...args]);
  running.push(server);
  await server.until('Stop       Ctrl-C');
  const { url } = JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { url: string };
  return { server, url };
}

function connection(database: string): Client {
  const [host, port, , user, password] = readFileSync(join(data, 'pgpass'), 'utf8').trim().split(':');
  return new Client({
    host: String(host),
    port: Number(port),
    user: String(user),
    password: String(password),
    database,
  });
}

async function query(database: string, sql: string): Promise<unknown[]> {
  const client = connection(database);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function serverRuns(): boolean {
  return existsSync(join(data, 'postgresql', 'data', 'postmaster.pid'));
}

it('starts with a sample, works for other commands, and stops cleanly', async () => {
  const { server, url } = await serve('--sample');
  await server.until('Try it:');

  expect(statSync(join(data, 'pgpass')).mode & 0o777).toBe(0o600);
  const [counted] = await query('explorerio', 'SELECT count(*)::int AS cities FROM sample.cities');
  expect(counted).toEqual({ cities: 135_233 });
  const [comment] = await query('demo', `SELECT obj_description('cities'::regclass) AS comment`);
  expect(comment).toEqual({ comment: expect.stringContaining('CC BY 4.0') });
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });

  const second = await program.run(['serve', '--port', '0', '--data', data]);
  expect(second.err).toContain(`in use by process ${server.process.pid}, which serves ${url}`);
  expect(second.code).toBe(4);

  const { port } = new URL(url);
  const other = await program.run(['serve', '--port', port, '--data', join(program.scratch, 'other')]);
  expect(other.err).toContain(`port ${port}: another program listens there`);
  expect(other.code).toBe(4);

  await query('demo', `UPDATE cities SET population = population + 1 WHERE name = 'Vienna' AND country = 'AT'`);
  const synced = await program.run(['sync', 'sample', '--json', '--data', data]);
  expect(JSON.parse(synced.out).runs[0]).toMatchObject({ state: 'succeeded', rows: 1 });
  expect(synced.code).toBe(0);

  const start = Date.now();
  server.process.kill('SIGTERM');
  const ended = await server.ended;
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(Date.now() - start).toBeLessThan(patient(10_000));
  expect(serverRuns()).toBe(false);
  // The password is in files of mode 0600 alone.
  const [, , , , password] = readFileSync(join(data, 'pgpass'), 'utf8').trim().split(':');
  expect(ended.out + ended.err).not.toContain(password);
  expect(ended.out + ended.err).not.toContain(readFileSync(join(data, 'sample-password'), 'utf8'));
});

it('without a server the commands do the work themselves, and leave nothing running', async () => {
  const listed = await program.run(['list', '--json', '--data', data]);
  expect(JSON.parse(listed.out).integrations.map(({ id }: { id: string }) => id)).toEqual(['sample']);
  const synced = await program.run(['sync', 'sample', '--json'], { EXPLORERIO_DATA: data });
  expect(JSON.parse(synced.out).runs[0]).toMatchObject({ state: 'succeeded', rows: 0 });
  expect(synced.code).toBe(0);
  expect(serverRuns()).toBe(false);
});

it('the next start fills nothing in again; a second signal ends it at once, and what is left is taken over', async () => {
  const { server } = await serve('--sample');
  const runs = JSON.parse((await program.run(['runs', '--json', '--data', data])).out).runs;
  expect(runs.map(({ rows }: { rows: number }) => rows)).toEqual([0, 1, 135_670]);
  server.process.kill('SIGTERM');
  server.process.kill('SIGINT');
  const { code } = await server.ended;
  expect([0, 130]).toContain(code);
  const after = await program.run(['sync', 'sample', '--json', '--data', data]);
  expect(JSON.parse(after.out).runs[0]).toMatchObject({ state: 'succeeded', rows: 0 });
  expect(serverRuns()).toBe(false);
});

it('removes an integration and its data through the server', async () => {
  await serve();
  const removed = await program.run(['remove', 'sample', '--data-too', '--data', data]);
  expect(removed).toMatchObject({ code: 0, out: 'sample: removed, with its data\n' });
  const left = await query('explorerio', `SELECT FROM pg_tables WHERE schemaname = 'sample'`);
  expect(left).toEqual([]);
});

it('on an address that others reach needs an API key, which the commands then send', async () => {
  const folder = join(program.scratch, 'open');
  const args = ['serve', '--port', '0', '--host', '0.0.0.0', '--data', folder];
  const refused = await program.run(args);
  expect(refused.err).toContain('no API key is set');
  expect(refused.code).toBe(2);
  const server = program.start(args, { EXPLORERIO_API_KEY: 'key-of-the-test' });
  running.push(server);
  await server.until('Stop       Ctrl-C');
  const wrong = await program.run(['list', '--data', folder]);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('EXPLORERIO_API_KEY') });
  const right = await program.run(['list', '--data', folder, '--api-key-env', 'MY_KEY'], { MY_KEY: 'key-of-the-test' });
  expect(right).toMatchObject({ code: 0, out: expect.stringContaining('There is no integration yet') });
  server.process.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});
