import type { Json } from '../../../lib/core/json';
import { checkDocument } from '../../../lib/engine/document';
import { MemoryDatabase, memoryConnector } from '../../memory/source';
import { document, faultFrom } from './home';

const connector = memoryConnector(new MemoryDatabase());
const check = (more: { readonly [key: string]: Json }, everySeconds?: number) =>
  checkDocument(document(more), async () => connector, {
    evaluator: true,
    ...(everySeconds !== undefined && { healthChecks: { everySeconds } }),
  });

const RIGHT = { enabled: true, interval: 300, timeout: 30, retry_attempts: 3 };

describe('a wrong section names the field', () => {
  it.each<[string, string, Json, RegExp]>([
    ['health_checks.enabled', 'health_checks', { interval: 300 }, /expected boolean/],
    ['health_checks.enabled', 'health_checks', { ...RIGHT, enabled: 'yes' }, /expected boolean/],
    ['health_checks.enabled', 'health_checks', { ...RIGHT, enabled: null }, /expected boolean/],
    ['health_checks.interval', 'health_checks', { ...RIGHT, interval: '300' }, /expected (number|int)/],
    ['health_checks.interval', 'health_checks', { ...RIGHT, interval: 0 }, />=1/],
    ['health_checks.interval', 'health_checks', { ...RIGHT, interval: -5 }, />=1/],
    ['health_checks.interval', 'health_checks', { ...RIGHT, interval: 86_401 }, /<=86400/],
    ['health_checks.interval', 'health_checks', { ...RIGHT, interval: 1.5 }, /int/],
    ['health_checks.timeout', 'health_checks', { ...RIGHT, timeout: 0 }, />=1/],
    ['health_checks.timeout', 'health_checks', { ...RIGHT, timeout: [30] }, /expected (number|int)/],
    ['health_checks.timeout', 'health_checks', { ...RIGHT, interval: 7200, timeout: 3601 }, /<=3600/],
    [
      'health_checks.timeout',
      'health_checks',
      { ...RIGHT, timeout: 301 },
      /301 s are longer than the interval of 300 s$/,
    ],
    ['health_checks.timeout', 'health_checks', { enabled: true, timeout: 301 }, /interval of 300 s, its default$/],
    ['health_checks.retry_attempts', 'health_checks', { ...RIGHT, retry_attempts: -1 }, />=0/],
    ['health_checks.retry_attempts', 'health_checks', { ...RIGHT, retry_attempts: 11 }, /<=10/],
    ['health_checks.retry_attempts', 'health_checks', { ...RIGHT, retry_attempts: {} }, /expected (number|int)/],
    ['health_checks.enable', 'health_checks', { ...RIGHT, enable: true }, /did you mean "enabled"/],
    ['health_checks.intervall', 'health_checks', { enabled: true, intervall: 5 }, /did you mean "interval"/],
    ['health_checks.time_out', 'health_checks', { enabled: true, time_out: 5 }, /did you mean "timeout"/],
    ['health_checks.retries', 'health_checks', { enabled: true, retries: 5 }, /known here: .*retry_attempts/],
    ['health_checks', 'health_checks', [RIGHT], /expected object/],
    ['health_checks', 'health_checks', true, /expected object/],
    ['health_checks', 'health_checks', null, /expected object/],
    ['health_check', 'health_check', RIGHT, /did you mean "health_checks"/],
    ['metrics.connection_status', 'metrics', { connection_status: 'on' }, /expected boolean/],
    ['metrics.sync_performance', 'metrics', { sync_performance: 1 }, /expected boolean/],
    ['metrics.error_rates', 'metrics', { error_rates: null }, /expected boolean/],
    ['metrics.data_freshness', 'metrics', { data_freshness: {} }, /expected boolean/],
    ['metrics.error_rate', 'metrics', { error_rate: true }, /did you mean "error_rates"/],
    ['metrics.data_freshnes', 'metrics', { data_freshnes: true }, /did you mean "data_freshness"/],
    ['metrics', 'metrics', ['error_rates'], /expected object/],
    ['metric', 'metric', {}, /did you mean "metrics"/],
  ])('%s of %s: %j', async (path, section, value, message) => {
    const { issues } = await faultFrom(check({ [section]: value }));
    expect(issues).toEqual([{ path, message: expect.stringMatching(message) }]);
  });
});

describe('a right section', () => {
  it.each<[string, { readonly [key: string]: Json }]>([
    ['without all that has a default', { health_checks: { enabled: true } }],
    ['of the specification', { health_checks: RIGHT }],
    ['with an interval below the default time-out', { health_checks: { enabled: true, interval: 30 } }],
    ['that is switched off, whatever the interval', { health_checks: { enabled: false, interval: 1 } }],
    ['of metrics that is empty', { metrics: {} }],
    [
      'of metrics that an alert does not need',
      { metrics: { error_rates: false }, alerts: alertsOf("status == 'failed'") },
    ],
  ])('%s has no warning', async (_what, more) => {
    expect((await check(more)).warnings).toEqual([]);
  });

  it.each<[string, { readonly [key: string]: Json }, RegExp]>([
    ['tests very often', { health_checks: { enabled: true, interval: 29 } }, /^health_checks\.interval: .*every 29 s/],
    [
      'has a time-out as long as the interval',
      { health_checks: { ...RIGHT, timeout: 300 } },
      /^health_checks\.timeout: /,
    ],
    [
      'switches off what an alert needs',
      { metrics: { error_rates: false }, alerts: alertsOf('error_rate > 0.05') },
      /^metrics\.error_rates: is false, but the alert "Watch" needs error_rate: .*all the same$/,
    ],
    [
      'switches off the age that an alert needs',
      { metrics: { data_freshness: false }, alerts: alertsOf("last_sync_age > '2h'") },
      /^metrics\.data_freshness: .*last_sync_age/,
    ],
  ])('that %s is warned of', async (_what, more, warning) => {
    expect((await check(more)).warnings).toEqual([expect.stringMatching(warning)]);
  });

  it('that asks for more than a home can do is warned of there', async () => {
    const often = { health_checks: { ...RIGHT, interval: 60 } };
    const warning = 'health_checks.interval: tests are made every 300 s here, not every 60 s';
    expect((await check(often, 300)).warnings).toEqual([warning]);
    expect((await check(often, 1)).warnings).toEqual([]);
    expect((await check({ health_checks: RIGHT }, 300)).warnings).toEqual([]);
  });
});

function alertsOf(condition: string): Json {
  return [{ name: 'Watch', condition, severity: 'warning' }];
}
