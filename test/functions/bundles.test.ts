import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
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
        expect(readdirSync(join(folder, name))).toEqual(['index.cjs']);
        expect(statSync(join(folder, name, 'index.cjs')).size).toBeLessThan(LARGEST_BYTES);
      }
    });

    it.each(connectorTypes)('the sync function of %s serves an event', async (type) => {
      expect(await invoke(`sync-${type}`, { Records: [] })).toMatchObject({ result: { batchItemFailures: [] } });
    });

    it('the API serves a request', async () => {
      const event = httpEvent('GET', '/api/integrations') as unknown as Json;
      expect(await invoke('api', event)).toMatchObject({ result: { statusCode: 200 } });
    });

    it('the health checks run on an empty table', async () => {
      const { error } = await invoke('health', {});
      expect(error).toBeUndefined();
    });

    it('names the variable that is not set', async () => {
      const { EXPLORERIO_TABLE: _, ...rest } = environment;
      const { error } = await invokeOnce(join(folder, 'health'), {}, rest);
      expect(JSON.stringify(error)).toContain('EXPLORERIO_TABLE');
    });
  });
});
