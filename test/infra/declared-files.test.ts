import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declaredFiles } from '../../bin/declared-files';
import { resourcesOf, templatesOf } from './synth';

const RIGHT = {
  name: 'main_database',
  type: 'postgresql',
  connection: {
    host: 'db.example.com',
    database: 'a',
    username: 'reader',
    password: '${DB_PASSWORD}',
    max_connections: 3,
  },
  sync_settings: { mode: 'incremental', schedule: '0 */6 * * *', time_zone: 'Europe/Berlin' },
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explorerio-declared-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: unknown) =>
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));

it('are none where there is no folder, or nothing in it', async () => {
  expect((await declaredFiles(join(folder, 'nothing'))).declared).toEqual([]);
  write('README.md', 'Put files here.');
  expect((await declaredFiles(folder)).declared).toEqual([]);
});

it('are read with all that the stacks need to know', async () => {
  write('main.json', RIGHT);
  const { declared } = await declaredFiles(folder);
  expect(declared).toEqual([
    {
      file: join(folder, 'main.json'),
      name: 'main_database',
      type: 'postgresql',
      document: RIGHT,
      secrets: ['DB_PASSWORD'],
      useVpn: false,
      parallel: 2,
      connections: 3,
    },
  ]);
});

it('give the function of a connector no right to the secret of a webhook', async () => {
  const authentication = { type: 'hmac_sha256', secret: '${HOOK}' };
  write('main.json', { ...RIGHT, webhook_config: { endpoint: 'https://a.example/webhooks/x', authentication } });
  expect((await declaredFiles(folder)).declared[0]?.secrets).toEqual(['DB_PASSWORD']);
});

it('put the function of a connector behind the VPN when a file asks for it', async () => {
  write('main.json', { ...RIGHT, network_security: { use_vpn: true, vpn_endpoint: 'vpn.example.com' } });
  const { declared } = await declaredFiles(folder);
  const { state, service } = templatesOf({ types: ['postgresql', 'rest_api'], declared });
  expect(resourcesOf(state, 'AWS::EC2::VPNGateway')).toHaveLength(1);
  const functions = resourcesOf(service, 'AWS::Lambda::Function').map(([id, { Properties }]) => {
    const { EXPLORERIO_BEHIND_VPN: behind, EXPLORERIO_VPN_TYPES: types } = Properties.Environment.Variables;
    return [id.replace(/Function.*/, ''), Properties.VpcConfig !== undefined, behind, types];
  });
  const outside = [false, undefined, undefined];
  const managing = [false, undefined, '["postgresql"]'];
  expect(functions).toEqual([
    ['postgresqlSync', true, 'true', undefined],
    ['restapiSync', ...outside],
    ['Api', ...managing],
    ['Health', ...managing],
  ]);
});

it('put nothing there without', async () => {
  write('main.json', { ...RIGHT, network_security: { use_vpn: false } });
  const { service } = templatesOf({ types: ['postgresql'], declared: (await declaredFiles(folder)).declared });
  expect(JSON.stringify(service.toJSON())).not.toContain('VPN');
});

it('count references in a text, not what only looks like one', async () => {
  const connection = { uri: 'postgresql://u:${PW}@${HOST}/d', application_name: '$${NOT_THIS}' };
  write('main.json', { ...RIGHT, connection });
  expect((await declaredFiles(folder)).declared[0]?.secrets).toEqual(['HOST', 'PW']);
});

it.each<[string, unknown, RegExp]>([
  ['text that is not JSON', '{"name": }', /bad\.json:1:\d+: not JSON/],
  ['a wrong field', { ...RIGHT, connection: { ...RIGHT.connection, port: 99_999 } }, /bad\.json: connection\.port: /],
  ['an unknown field', { ...RIGHT, schdule: '* * * * *' }, /bad\.json: schdule: /],
  ['an unknown type', { ...RIGHT, type: 'postgres' }, /bad\.json: type: .*did you mean "postgresql"/],
  [
    'a wrong schedule',
    { ...RIGHT, sync_settings: { schedule: '0 0 31 2 *' } },
    /bad\.json: sync_settings\.schedule: .*never/,
  ],
  [
    'a wrong condition of an alert',
    { ...RIGHT, alerts: [{ name: 'Errors', condition: 'error_rat > 0.05', severity: 'warning' }] },
    /bad\.json: alerts\[0\]\.condition: at column 1: unknown name "error_rat"; did you mean "error_rate"\?/,
  ],
  [
    'a written secret',
    { ...RIGHT, connection: { ...RIGHT.connection, password: 'hunter22' } },
    /bad\.json: connection\.password: a secret must not stand in a file; put it into Secrets Manager and write "\$\{NAME\}"/,
  ],
  [
    'a password in a URL',
    { ...RIGHT, connection: { uri: 'postgresql://u:hunter22@${HOST}/d' } },
    /connection\.uri: a secret/,
  ],
])('refuse %s by file, field and remedy', async (_what, content, message) => {
  write('bad.json', content);
  write('main.json', { ...RIGHT, name: 'other' });
  const failure = await declaredFiles(folder).catch((error: Error) => error);
  expect(failure).toMatchObject({ kind: 'config', code: 'invalid_config', message: expect.stringMatching(message) });
  expect(String((failure as Error).message)).not.toContain('hunter22');
});

it('refuse one name in two files', async () => {
  write('a.json', RIGHT);
  write('b.json', RIGHT);
  await expect(declaredFiles(folder)).rejects.toThrow(/b\.json: name: "main_database" is also the name in .*a\.json/);
});
