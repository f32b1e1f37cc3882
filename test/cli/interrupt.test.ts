import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { Program } from './program';

const ROWS = 1_500_000;
let program: Program;
let data: string;

beforeAll(() => {
  program = new Program();
  data = join(program.scratch, 'data');
});

afterAll(() => program.remove());

async function query(database: string, sql: string): Promise<unknown[]> {
  const [host, port, , user, password] = readFileSync(join(data, 'pgpass'), 'utf8').trim().split(':');
  const client = new Client({
    host: String(host),
    port: Number(port),
    user: String(user),
    password: String(password),
    database,
  });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function whileServing<T>(work: () => Promise<T>): Promise<T> {
  const server = program.start(['serve', '--sample', '--port', '0', '--data', data]);
  try {
    await server.until('Try it:');
    return await work();
  } finally {
    server.process.kill('SIGTERM');
    await server.ended;
  }
}

it('a sync that is interrupted without a server stops cleanly, and the next one resumes it', async () => {
  await whileServing(async () => {
    await query('demo', `CREATE TABLE big AS SELECT id, md5(id::text) AS text FROM generate_series(1, ${ROWS}) AS id`);
    await query('demo', 'ALTER TABLE big ADD PRIMARY KEY (id)');
    await query('demo', 'ALTER TABLE big OWNER TO demo');
  });

  const sync = program.start(['sync', 'sample', '--full', '--data', data]);
  await sync.until('sample big: running');
  sync.process.kill('SIGINT');
  const interrupted = await sync.ended;
  expect(interrupted.err).toContain('Interrupted. What was loaded is kept');
  expect(interrupted.code).toBe(130);
  expect(existsSync(join(data, 'postgresql', 'data', 'postmaster.pid'))).toBe(false);

  const resumed = await program.run(['sync', 'sample', '--data', data]);
  expect(resumed.err).toMatch(/sample: resuming run \S+, which was interrupted/);
  expect(resumed.out).toMatch(/^sample: succeeded/);
  expect(resumed.code).toBe(0);

  const [found] = await whileServing(() =>
    query(
      'explorerio',
      'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, sum(id)::text AS sum FROM sample.big',
    ),
  );
  expect(found).toEqual({ rows: ROWS, ids: ROWS, sum: String((ROWS * (ROWS + 1)) / 2) });
});
