import type pg from 'pg';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { memorySource, memoryStore } from './parts';
import { connect, postgresqlSource, postgresqlStore } from './postgresql-parts';
import { type Scenario, sweepSeeds } from './sweep';
import type { Setup } from './world';

const HISTORIES = Number(process.env.SWEEP_HISTORIES ?? 8);
const FIRST_SEED = Number(process.env.SWEEP_SEED ?? 1);

describeWithServer('faults by seed on a real server', postgresql({ version: 18 }), (server) => {
  let client: pg.Client;
  /** Of a database of its own: a snapshot of the source would hold up a swap in the same one. */
  let target: pg.Client;

  beforeAll(async () => {
    client = await connect(server().url);
    await client.query('create database target');
    target = await connect(targetUrl(server().url));
  });

  afterAll(async () => {
    await client.end();
    await target.end();
  });

  const setups: readonly Setup[] = [
    { mode: 'full', workers: 2, processes: 1 },
    { mode: 'incremental', workers: 2, processes: 1 },
    { mode: 'incremental', workers: 1, processes: 2 },
    { mode: 'changes', workers: 2, processes: 1 },
  ];

  it.each(setups)(
    'destination: %j',
    async (setup) => {
      const scenario: Scenario = {
        setup,
        parts: async () => ({ source: memorySource(), store: await postgresqlStore(targetUrl(server().url), target) }),
      };
      expect((await sweepSeeds(scenario, 3, HISTORIES, FIRST_SEED)).slice(0, 3)).toEqual([]);
    },
    120_000,
  );

  it.each(setups)(
    'source: %j',
    async (setup) => {
      const scenario: Scenario = {
        setup,
        parts: async () => ({ source: await postgresqlSource(server(), client), store: memoryStore(false, true) }),
      };
      expect((await sweepSeeds(scenario, 3, HISTORIES, FIRST_SEED)).slice(0, 3)).toEqual([]);
    },
    120_000,
  );

  it.each(setups)(
    'source and destination, as bytes: %j',
    async (setup) => {
      const scenario: Scenario = {
        setup,
        parts: async () => ({
          source: await postgresqlSource(server(), client),
          store: await postgresqlStore(targetUrl(server().url), target),
        }),
      };
      expect((await sweepSeeds(scenario, 3, HISTORIES, FIRST_SEED)).slice(0, 3)).toEqual([]);
    },
    120_000,
  );
});

function targetUrl(url: string): string {
  const target = new URL(url);
  target.pathname = '/target';
  return target.href;
}
