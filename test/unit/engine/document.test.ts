import * as z from 'zod';
import { loadConnector } from '../../../lib/connectors';
import { configSpec, secretField } from '../../../lib/core/config';
import { type Connector, connector } from '../../../lib/core/connector';
import { Fault } from '../../../lib/core/fault';
import { checkDocument } from '../../../lib/engine/document';
import { faultFrom } from './home';
import { INTEGRATIONS, SECTIONS } from './specification';

const shop = connector({
  type: 'shop',
  title: 'Shop',
  modes: ['full', 'incremental'],
  config: configSpec(
    z.strictObject({
      connection: z.strictObject({
        host: z.string(),
        port: z.int().optional(),
        password: secretField('Password.').optional(),
      }),
      tables: z.array(z.string()).optional(),
    }),
  ),
  open: () => Promise.reject(new Error('never opened')),
  classify: () => undefined,
});

const load = async () => shop;
const base = { name: 'main', type: 'shop', connection: { host: 'db' } };
const check = (more: object) => checkDocument({ ...base, ...more }, load);
const issuesOf = async (more: object) => (await faultFrom(check(more))).issues ?? [];
const pathsOf = async (more: object) => (await issuesOf(more)).map((issue) => issue.path);

/** Takes whatever an example of the specification holds beside the common fields. */
function anything(type: string, keys: readonly string[]): Connector {
  return {
    ...shop,
    type,
    keys,
    modes: ['full', 'incremental', 'changes'],
    validate: () => undefined,
  };
}

/** What reads the modes that the examples ask for; a stand-in takes the place of the others. */
const REAL = new Set(['postgresql', 'aws_rds', 'azure_sql']);

/** What the linter says of two of the examples. */
const ADVICE: { readonly [name: string]: readonly unknown[] } = {
  kafka_events: [expect.stringMatching(/^sync_settings\.auto_offset_reset: "latest" never reads/)],
  aws_s3_data: [expect.stringMatching(/^connection\.access_key_id: .*role/)],
};

describe('examples of the specification', () => {
  const own = ['connection', 'collections', 'tables', 'file_patterns', 'endpoints', 'queries', 'topics'];
  const keys = [...own, 'consumer_group', 'queues', 'exchange'];

  it('are ten whole documents', () => expect(INTEGRATIONS).toHaveLength(10));

  it.each(INTEGRATIONS.map((example) => [example.name, example] as const))('accepts %s', async (_name, example) => {
    const { fields, warnings } = await checkDocument(example, async (type) =>
      REAL.has(type) ? loadConnector(type) : anything(type, keys),
    );
    expect(fields).toMatchObject({ name: example.name, type: example.type });
    expect(warnings).toEqual(ADVICE[example.name] ?? []);
  });

  it('accepts webhook_config', async () => {
    const [example] = SECTIONS.webhook_config;
    const { fields, warnings } = await check({ webhook_config: example, sync_settings: { mode: 'incremental' } });
    expect(fields.webhook_config).toEqual(example);
    expect(warnings).toEqual([]);
  });

  it.each([
    [{ enabled: false, sync_settings: { mode: 'incremental' } }, /^webhook_config: .*paused; set enabled to true$/],
    [{}, /^webhook_config: every call reads everything/],
    [{ sync_settings: { mode: 'batch' } }, /^webhook_config: every call reads everything/],
  ])('warns of what calls of a webhook lead to: %j', async (more, warning) => {
    const { warnings } = await check({ ...more, webhook_config: SECTIONS.webhook_config[0] });
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect((await check(more)).warnings).toEqual([]);
  });

  it('refuses a method that is not of the type of the strategy', async () => {
    const strategy = (type: string, method: string) => ({ sync_strategy: { type, method } });
    const message = (text: string) => [{ path: 'sync_strategy.method', message: text }];
    expect(await issuesOf(strategy('cdc', 'timestamp'))).toEqual([
      // This type has no changes at all.
      expect.objectContaining({ path: 'sync_strategy.type' }),
      ...message('"timestamp" is none of the type "cdc"; it is "database_logs"'),
    ]);
    expect(await issuesOf(strategy('incremental', 'database_logs'))).toEqual(
      message('"database_logs" is none of the type "incremental"; it is "timestamp"'),
    );
    expect(await issuesOf(strategy('full', 'timestamp'))).toEqual(
      message('"timestamp" is none of the type "full"; leave it out'),
    );
    expect((await check(strategy('incremental', 'timestamp'))).warnings).toEqual([]);
  });

  it('warns of what the settings of changes do not do elsewhere, and of a log that nobody reads', async () => {
    const { warnings } = await check({ sync_strategy: { type: 'incremental', capture_deletes: true } });
    expect(warnings).toEqual(['sync_strategy.capture_deletes: means nothing where changes are not followed']);
    const [document] = INTEGRATIONS.filter(({ type }) => type === 'postgresql');
    const cdc = { ...document, sync_settings: {}, sync_strategy: { type: 'cdc', capture_deletes: true } };
    expect((await checkDocument(cdc, loadConnector)).warnings).toEqual([]);
    const paused = await checkDocument({ ...cdc, enabled: false }, loadConnector);
    expect(paused.warnings).toEqual([expect.stringMatching(/^enabled: the source keeps its log/)]);
  });

  it.each([
    '/webhooks/data-update',
    'http://explorerio.company.com/webhooks/data-update',
    'ftp://127.0.0.1/webhooks/data-update',
    'https://explorerio.company.com/hooks/data-update',
    'https://explorerio.company.com/webhooks/',
    'https://user:word@explorerio.company.com/webhooks/data-update',
    'https://explorerio.company.com/webhooks/data-update?for=me',
  ])('refuses the endpoint %s of webhook_config, and says what is expected', async (endpoint) => {
    const section = { ...SECTIONS.webhook_config[0], endpoint };
    expect(await issuesOf({ webhook_config: section })).toEqual([
      { path: 'webhook_config.endpoint', message: expect.stringMatching(/^expected an https URL .*"\/webhooks\/"/) },
    ]);
  });

  it('refuses an empty secret of webhook_config', async () => {
    const section = { ...SECTIONS.webhook_config[0], authentication: { type: 'hmac_sha256', secret: '' } };
    expect(await pathsOf({ webhook_config: section })).toEqual(['webhook_config.authentication.secret']);
  });

  it('accepts rotation_policy', async () => {
    const [example] = SECTIONS.rotation_policy;
    const { fields, warnings } = await check({ rotation_policy: example });
    expect(fields.rotation_policy).toEqual(example);
    expect(warnings).toEqual([]);
  });

  it.each(['90', '0d', '3 months', '5ms', ''])('refuses the interval %j of rotation_policy', async (interval) => {
    expect(await pathsOf({ rotation_policy: { enabled: true, interval } })).toEqual(['rotation_policy.interval']);
  });

  it('accepts credential_store where files are read, and says elsewhere what to do', async () => {
    const document = { ...base, credential_store: SECTIONS.credential_store[0] };
    const { fields } = await checkDocument(document, load, { credentialStores: { check: () => [] } });
    expect(fields.credential_store).toEqual(SECTIONS.credential_store[0]);
    expect(await faultFrom(checkDocument(document, load, {}))).toMatchObject({
      issues: [{ path: 'credential_store', message: expect.stringContaining('Secrets Manager') }],
    });
    await expect(checkDocument(document, load)).resolves.toMatchObject({ warnings: [] });
    const issues = [{ path: 'credential_store.file_path', message: 'not there' }];
    const refused = checkDocument(document, load, { credentialStores: { check: () => issues } });
    expect(await faultFrom(refused)).toMatchObject({ issues });
  });

  it('accepts transformations and validation_rules', async () => {
    const [transformations] = SECTIONS.transformations;
    const [validation_rules] = SECTIONS.validation_rules;
    const [error_handling] = SECTIONS.error_handling;
    const { fields } = await check({ transformations, validation_rules, error_handling });
    expect(fields).toMatchObject({ transformations, validation_rules, error_handling });
  });

  it('accepts network_security', async () => {
    const [example] = SECTIONS.network_security;
    const { fields, warnings } = await check({ network_security: example });
    expect(fields.network_security).toEqual(example);
    expect(warnings).toEqual([]);
  });

  it('keeps alerts and warns that they do nothing', async () => {
    const [example] = SECTIONS.alerts;
    const { warnings, fields } = await check({ alerts: example });
    expect(warnings).toEqual([expect.stringMatching(/^alerts: .*nothing/)]);
    expect(fields.alerts).toEqual(example);
  });

  it.each(['health_checks', 'metrics'] as const)('accepts %s', async (section) => {
    const [example] = SECTIONS[section];
    const { warnings, fields } = await check({ [section]: example });
    expect([warnings, fields[section]]).toEqual([[], example]);
  });

  it('keeps alerts without a warning where something rings them', async () => {
    const { warnings } = await checkDocument({ ...base, alerts: SECTIONS.alerts[0] }, load, { alarms: {} });
    expect(warnings).toEqual([]);
  });

  it('accepts quarantine and warns that nobody is notified', async () => {
    const { warnings } = await check({ error_handling: SECTIONS.error_handling[0] });
    expect(warnings).toEqual([expect.stringContaining('error_handling.notification')]);
  });

  it('accepts the incremental strategy; the log strategy only of a connector that has it', async () => {
    const [incremental, cdc] = SECTIONS.sync_strategy;
    await expect(check({ sync_strategy: incremental })).resolves.toMatchObject({ warnings: [] });
    expect(await issuesOf({ sync_strategy: cdc })).toEqual([
      { path: 'sync_strategy.type', message: 'shop offers full and incremental in this version' },
    ]);
  });
});

describe('wrong documents', () => {
  it('names the path of an unknown key and the one that was meant', async () => {
    expect(await issuesOf({ sync_settings: { schedul: '0 0 * * *' } })).toEqual([
      { path: 'sync_settings.schedul', message: 'unknown key; did you mean "schedule"?' },
    ]);
    expect(await issuesOf({ connection: { host: 'db', prt: 1 } })).toEqual([
      { path: 'connection.prt', message: 'unknown key; did you mean "port"?' },
    ]);
  });

  it('suggests a key of the connector for an unknown one at the top', async () => {
    expect(await issuesOf({ tabels: ['orders'] })).toEqual([
      { path: 'tabels', message: 'unknown key; did you mean "tables"?' },
    ]);
  });

  it.each([
    ['sync_settings.batch_size', { sync_settings: { batch_size: '1000' } }],
    ['sync_settings.batch_size', { sync_settings: { batch_size: 0 } }],
    ['sync_settings.parallel', { sync_settings: { parallel: 65 } }],
    ['sync_settings.mode', { sync_settings: { mode: 'sometimes' } }],
    ['sync_settings', { sync_settings: null }],
    ['sync_strategy.lookback', { sync_strategy: { lookback: '5 minutes' } }],
    ['enabled', { enabled: 'yes' }],
    ['connection.host', { connection: { host: 7 } }],
    ['connection', { connection: undefined }],
    ['tables[1]', { tables: ['orders', 3] }],
    ['streams.orders.enabled', { streams: { orders: { enabled: 1 } } }],
    ['destination.schema', { destination: { schema: 'pg_catalog' } }],
    ['destination.schema', { destination: { schema: '🚀'.repeat(16) } }],
    ['sync_settings.schedule', { sync_settings: { schedule: '0 0 0 * * *' } }],
    ['sync_settings.schedule', { sync_settings: { schedule: '0 0 L * *' } }],
    ['sync_settings.schedule', { sync_settings: { schedule: '0 0 */2 * 1' } }],
    ['error_handling.strategy', { error_handling: { strategy: 'ignore' } }],
    ['error_handling.failure_budget.max_share', { error_handling: { failure_budget: { max_share: 1.1 } } }],
    ['streams.orders.schema_changes', { streams: { orders: { schema_changes: 'ignore' } } }],
  ])('refuses a wrong value at %s', async (path, more) => {
    expect(await pathsOf(more)).toEqual([path]);
  });

  it.each([null, 7, 'text', [], undefined])('refuses %p, which is no object', async (input) => {
    expect(await faultFrom(checkDocument(input, load))).toMatchObject({ kind: 'config', code: 'invalid_config' });
  });

  it.each(['', '-main', '_main', 'a b', 'a/b', 'a.b', 'ä', 'x'.repeat(64), '__proto__', 7, undefined])(
    'refuses the name %p',
    async (name) => expect(await pathsOf({ name })).toEqual(['name']),
  );

  it.each(['a', '9', 'Main_database-2', 'x'.repeat(63)])('accepts the name %p', async (name) => {
    await expect(check({ name })).resolves.toMatchObject({ fields: { name } });
  });

  it.each(['health', 'stats'])('refuses the name %s, which is a path of the API', async (name) => {
    expect(await issuesOf({ name })).toEqual([{ path: 'name', message: expect.stringContaining('reserved') }]);
  });

  it('reports every wrong field at once, of the connector and of the engine', async () => {
    const wrong = { name: 'a b', tables: 'orders', connection: { hst: 'db' }, enabled: 1, colour: 'red' };
    const fault = await faultFrom(check(wrong));
    expect(fault.issues?.map((issue) => issue.path).sort()).toEqual(
      ['colour', 'connection.host', 'connection.hst', 'enabled', 'name', 'tables'].sort(),
    );
    for (const issue of fault.issues ?? []) expect(fault.message).toContain(issue.path);
    expect(fault.hint).toMatch(/./);
  });

  it('reports an unfit mode, a wrong schedule and a wrong zone together', async () => {
    const more = {
      sync_settings: { mode: 'real_time', schedule: '61 * * * *', time_zone: 'Berlin' },
    };
    expect((await pathsOf(more)).sort()).toEqual(
      ['sync_settings.mode', 'sync_settings.schedule', 'sync_settings.time_zone'].sort(),
    );
  });

  it('names what is wrong in each alert', async () => {
    const alerts = [
      { name: 'One', condition: "connection_status == 'faild'", severity: 'critical' },
      { name: 'one!', condition: 'error_rate > 0.05', duration: '90s', severity: 'warning' },
    ];
    expect(await issuesOf({ alerts })).toEqual([
      { path: 'alerts[0].condition', message: expect.stringContaining("did you mean 'failed'?") },
      { path: 'alerts[1].duration', message: expect.stringContaining('a multiple of 60 s') },
      { path: 'alerts[1].name', message: expect.stringContaining('alerts[0]') },
    ]);
  });

  it('refuses a wrong time zone also without a schedule', async () => {
    expect(await pathsOf({ sync_settings: { time_zone: 'Mars/Olympus' } })).toEqual(['sync_settings.time_zone']);
  });

  it('names an unknown type with what was meant, at its path', async () => {
    const unknown = new Fault('config', 'unknown_type', '"shp" is not known; did you mean "shop"?');
    const fault = await faultFrom(checkDocument({ ...base, type: 'shp' }, () => Promise.reject(unknown)));
    expect(fault.issues).toEqual([{ path: 'type', message: expect.stringContaining('did you mean "shop"?') }]);
  });

  it('passes on what went wrong while a connector was loaded, when it is no fault of the document', async () => {
    const broken = new Error('cannot find module');
    await expect(checkDocument(base, () => Promise.reject(broken))).rejects.toBe(broken);
  });

  it('never repeats a wrong value, which may be a secret', async () => {
    const fault = await faultFrom(check({ connection: { host: 'db', password: ['hunter2'], port: 'hunter2' } }));
    expect(fault.issues).toHaveLength(2);
    expect(JSON.stringify([fault.message, fault.issues])).not.toContain('hunter2');
  });
});
