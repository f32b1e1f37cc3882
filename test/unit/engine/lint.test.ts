import type { IntegrationDocument } from '../../../lib/core/integration';
import { integrationFields } from '../../../lib/core/integration';
import { lintDocument, lintSchedule } from '../../../lib/engine/lint';
import { document, faultOf, Home, NEVER, syncAll } from './home';

function lint(more: object, connection: object = {}): string[] {
  const given = { name: 'shop', type: 'postgresql', ...more };
  return lintDocument({ ...given, connection } as IntegrationDocument, integrationFields.parse(given));
}

const RULES = [{ type: 'required', field: 'email' }];

describe('the linter', () => {
  it.each<[string, object, object, RegExp | undefined]>([
    [
      'an offset that loses history',
      { type: 'kafka', sync_settings: { auto_offset_reset: 'latest' } },
      {},
      /^sync_settings\.auto_offset_reset: "latest" never reads/,
    ],
    ['one that does not', { type: 'kafka', sync_settings: { auto_offset_reset: 'earliest' } }, {}, undefined],
    ['a static key', {}, { access_key_id: '${KEY}' }, /^connection\.access_key_id: .*role/],
    [
      'TLS that nobody verifies',
      { network_security: { require_ssl: true, ssl_verification: false } },
      { ssl: true },
      /^network_security\.require_ssl: /,
    ],
    [
      'TLS whose verification is off',
      { network_security: { require_ssl: true } },
      { ssl: { verification: 'off' } },
      /^network_security\.require_ssl: /,
    ],
    [
      'TLS that is verified',
      { network_security: { require_ssl: true, ssl_verification: true } },
      { ssl: true },
      undefined,
    ],
    [
      'a rule that refuses every connection',
      { network_security: { require_ssl: true } },
      { host: 'db', ssl: false },
      /^connection\.ssl: .*refuses every connection/,
    ],
    ['the same by default', { network_security: { require_ssl: true } }, { host: 'db' }, /^connection\.ssl: /],
    ['a socket of this machine', { network_security: { require_ssl: true } }, { host: '/run/postgresql' }, undefined],
    [
      'conversions whose failures nobody is told about',
      { transformations: [{ type: 'data_type_conversion', conversions: { age: 'integer' } }] },
      {},
      /^error_handling\.notification: nobody is told/,
    ],
    [
      'records of a changed shape that nobody is told about',
      { streams: { orders: { schema_changes: 'quarantine' } } },
      {},
      /^error_handling\.notification: nobody is told/,
    ],
    [
      'steps that refuse nothing',
      { transformations: [{ type: 'field_mapping', mappings: { a: 'b' } }] },
      {},
      undefined,
    ],
    [
      'a quarantine that nobody is told about',
      { validation_rules: RULES },
      {},
      /^error_handling\.notification: nobody is told/,
    ],
    [
      'one that somebody is told about',
      { validation_rules: RULES, error_handling: { strategy: 'quarantine', notification: true } },
      {},
      undefined,
    ],
    [
      'one that is watched',
      { validation_rules: RULES, alerts: [{ name: 'a', condition: 'quarantined_rows > 0', severity: 'info' }] },
      {},
      undefined,
    ],
    [
      'records that are lost',
      { validation_rules: RULES, error_handling: { strategy: 'skip' } },
      {},
      /^error_handling\.strategy: "skip" loses/,
    ],
    [
      'a digest without a key',
      { transformations: [{ type: 'hash', fields: ['email'] }] },
      {},
      /^transformations\[0\]\.key: /,
    ],
    [
      'a digest with one',
      { transformations: [{ type: 'hash', fields: ['email'], key: '${HASH_KEY}' }] },
      {},
      undefined,
    ],
  ])('on %s', (_, more, connection, wanted) => {
    const warnings = lint(more, connection);
    if (wanted === undefined) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringMatching(wanted)]);
  });

  it('gives a whole document every consequence at once, with its path', () => {
    const paths = lint(
      {
        type: 'kafka',
        sync_settings: { auto_offset_reset: 'latest' },
        network_security: { require_ssl: true, ssl_verification: false },
        validation_rules: RULES,
      },
      { access_key_id: '${KEY}' },
    ).map((warning) => warning.split(':')[0]);
    expect(paths).toEqual([
      'sync_settings.auto_offset_reset',
      'connection.access_key_id',
      'network_security.require_ssl',
      'error_handling.notification',
    ]);
  });

  it('compares a schedule with the length of the last sync', () => {
    expect(lintSchedule(300, 290)).toEqual([]);
    expect(lintSchedule(undefined, 290)).toEqual([]);
    expect(lintSchedule(300, undefined)).toEqual([]);
    expect(lintSchedule(300, 1200)).toEqual([
      expect.stringContaining('comes every 5 min, and the last sync took 20 min'),
    ]);
  });
});

describe('a schedule that comes closer than a sync takes', () => {
  const scheduled = (schedule: string) => document({ sync_settings: { schedule } });
  let home: Home;
  beforeEach(async () => {
    home = new Home();
    home.fill('orders', 3);
  });
  const slow = async (minutes: number) => {
    home.hooks.scan = async (_, batch) => (batch === 0 ? home.clock.jump(minutes * 60_000) : undefined);
    await syncAll(home, home.engine());
    home.hooks.scan = () => undefined;
  };
  const warningsOf = async (schedule: string) => {
    const { service } = home.engine();
    const planned = await service.plan(scheduled(schedule) as IntegrationDocument, NEVER);
    expect(await service.validate(scheduled(schedule))).toEqual(planned.warnings);
    return planned.warnings;
  };

  it('is seen by plan and validate, once a sync has shown how long it takes', async () => {
    await home.engine().service.create(document());
    expect(await warningsOf('*/5 * * * *')).toEqual([]);
    await slow(20);
    expect(await warningsOf('*/5 * * * *')).toEqual([expect.stringContaining('comes every 5 min')]);
    expect(await warningsOf('0 * * * *')).toEqual([]);
  });

  it('is seen where only some of its times are close', async () => {
    await home.engine().service.create(document());
    await slow(20);
    expect(await warningsOf('0,10 3 * * *')).toEqual([expect.stringContaining('comes every 10 min')]);
  });

  it('is compared with the last sync that went through, not with one that failed early', async () => {
    const { service } = home.engine();
    await service.create(document());
    await slow(20);
    home.hooks.open = () => {
      throw faultOf('config');
    };
    await syncAll(home, home.engine());
    delete home.hooks.open;
    expect(await warningsOf('*/5 * * * *')).toEqual([expect.stringContaining('the last sync took 20 min')]);
  });
});
