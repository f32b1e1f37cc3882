import type pg from 'pg';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { memorySource, memoryStore } from './parts';
import { connect, postgresqlSource, postgresqlStore } from './postgresql-parts';
import { type Scenario, sweepSeeds } from './sweep';
import type { Setup } from './world';

const HISTORIES = Number(process.env.SWEEP_HISTORIES ?? 12);
const FIRST_SEED = Number(process.env.SWEEP_SEED ?? 1);

describeWithServer('faults by seed on a real server', postgresql({ version: 18 }), (server) => {
  let client: pg.Client;

  beforeAll(async () => {
    client = await connect(server());
  });

  afterAll(() => client.end());

  const setups: readonly Setup[] = [
    { mode: 'full', workers: 2, processes: 1 },
    { mode: 'incremental', workers: 2, processes: 1 },
    { mode: 'incremental', workers: 1, processes: 2 },
  ];

  it.each(setups)(
    'destination: %j',
    async (setup) => {
      const scenario: Scenario = {
        setup,
        parts: async () => ({ source: memorySource(), store: await postgresqlStore(server(), client) }),
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
        parts: async () => ({ source: await postgresqlSource(server(), client), store: memoryStore(false) }),
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
          store: await postgresqlStore(server(), client),
        }),
      };
      expect((await sweepSeeds(scenario, 3, HISTORIES, FIRST_SEED)).slice(0, 3)).toEqual([]);
    },
    120_000,
  );
});
