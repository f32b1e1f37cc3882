import type { IntegrationDocument } from '../../../lib/core/integration';
import { integrationFields } from '../../../lib/core/integration';
import { lintDocument, lintSchedule } from '../../../lib/engine/lint';

function lint(more: object, connection: object = {}): string[] {
  const document = { name: 'shop', type: 'postgresql', ...more };
  return lintDocument({ ...document, connection } as IntegrationDocument, integrationFields.parse(document));
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
      {},
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

  it('compares a schedule with the length of the last sync', () => {
    expect(lintSchedule(300, 290)).toEqual([]);
    expect(lintSchedule(undefined, 290)).toEqual([]);
    expect(lintSchedule(300, undefined)).toEqual([]);
    expect(lintSchedule(300, 1200)).toEqual([
      expect.stringContaining('comes every 5 min, and the last sync took 20 min'),
    ]);
  });
});
