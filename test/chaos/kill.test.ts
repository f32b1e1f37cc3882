import { jest } from '@jest/globals';
import { Client } from 'pg';
import { Program } from '../cli/program';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { playCampaign } from './kill-campaign';
import { differences, leftovers, lostRows } from './kill-compare';
import { createTables } from './kill-source';

const SEED = Number(process.env.KILL_SEED ?? 20_261_124);
const KILLS = Number(process.env.KILL_COUNT ?? 40);
const ROWS = 200_000;

jest.setTimeout(600_000);

describeWithServer('the comparison', postgresql({ version: 15 }), (server) => {
  let client: Client;
  const side = (schema: string) => ({ client, schema });
  const compare = (except: readonly string[] = []) => differences(side('public'), side('copy'), except);

  beforeEach(async () => {
    client = new Client(server().url);
    await client.connect();
    await client.query(
      'drop schema if exists public cascade; drop schema if exists copy cascade; create schema public',
    );
    await createTables(client, 400);
    await client.query(`create schema copy; create table copy.items as table items; create table copy.lines as table lines;
      create table copy.journal as table journal`);
  });
  afterEach(() => client.end());

  it('finds nothing where nothing is wrong', async () => {
    expect(await compare()).toEqual([]);
  });

  it.each([
    ['a missing row', 'delete from copy.items where id = 7', /items: 1 missing: \["7"/],
    ['a doubled row', 'insert into copy.items select * from items where id = 7', /items: 1 doubled: \["7"/],
    ['a changed value', `update copy.items set amount = amount + 0.0001 where id = 7`, /items: 1 changed, at the dest/],
    ['a null for a text', 'update copy.lines set note = null where order_id = 1 and line = 1', /lines: 1 changed/],
    ['a surplus row', `insert into copy.journal values (now(), 'k', 'n')`, /journal: 1 that the source does not have/],
    ['one row too many of equal ones', `insert into copy.journal select * from journal limit 1`, /journal: 1 doubled/],
    [
      'one row too few of equal ones',
      'delete from copy.journal where ctid = (select min(ctid) from copy.journal)',
      /journal: 1 missing/,
    ],
  ])('finds %s', async (_what, sql, expected) => {
    await client.query(sql);
    expect(await compare()).toContainEqual(expect.stringMatching(expected));
  });

  it('leaves out old keys, and only those', async () => {
    await client.query('delete from items where id in (7, 8)');
    expect(await compare(['7', '8'])).toEqual([]);
    expect(await compare(['7'])).toContainEqual(expect.stringMatching(/items: 1 that the source does not have: \["8"/));
  });

  it('finds rows that a load has lost, and tables and positions that it left behind', async () => {
    expect(await lostRows(side('public'), side('copy'), 400)).toEqual([]);
    await client.query(`delete from copy.items where id = 9; update copy.items set title = 'older' where id = 10;
      create table copy._explorerio_positions (load text); create table copy._explorerio_loads (load text, state text);
      create table copy._explorerio_quarantine (reason text); create table copy._explorerio_tables ()`);
    expect(await lostRows(side('public'), side('copy'), 400)).toEqual([expect.stringMatching(/1 lost .*: 9$/)]);
    expect(await leftovers(side('copy'))).toEqual([]);
    await client.query(`create table copy._explorerio_load_1 (); insert into copy._explorerio_positions values ('l');
      insert into copy._explorerio_loads values ('l', 'loading')`);
    expect(await leftovers(side('copy'))).toHaveLength(3);
  });
});

const settings = { max_connections: '200', shared_buffers: '128MB', max_wal_size: '4GB' };

describeWithServer('SIGKILL at any moment', postgresql({ version: 18, settings }), (server) => {
  let program: Program;
  beforeAll(() => {
    program = new Program();
  });
  afterAll(() => program.remove());

  it(`loses, doubles and leaves nothing: ${KILLS} kills, KILL_SEED=${SEED}`, async () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const outcome = await playCampaign(server(), program, { seed: SEED, kills: KILLS, rows: ROWS, log });
    const report = { seed: SEED, ...outcome, lines };
    process.stderr.write(
      `kill test: ${JSON.stringify({ seed: SEED, kills: outcome.kills, landed: outcome.landed })}\n`,
    );
    expect({ ...report, problems: outcome.problems }).toEqual({ ...report, problems: [] });
    expect(outcome.kills).toBeGreaterThanOrEqual(KILLS);
    const hit = (phase: string) =>
      Object.entries(outcome.landed).reduce(
        (sum, [place, times]) => sum + (place.endsWith(` ${phase}`) ? times : 0),
        0,
      );
    for (const phase of ['load', 'increment', 'publish']) expect([phase, hit(phase)]).not.toEqual([phase, 0]);
  });
});
