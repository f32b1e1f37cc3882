import { readFileSync } from 'node:fs';
import { PROMETHEUS_TYPE, prometheusText } from '../../lib/api/prometheus';
import { Secret } from '../../lib/core/secret';
import type { IntegrationFigures } from '../../lib/core/service';
import { metricsFrom } from '../../lib/engine/stats';
import { startApi } from './client';
import * as full from './full-answers';
import { type Family, parseExposition } from './prometheus-format';

function textOf(...integrations: IntegrationFigures[]): string {
  return prometheusText({ version: '9.8.7', integrations, channels: [full.channelStatus] });
}

function valuesOf(family: Family | undefined): (string | number)[][] {
  return (family?.samples ?? []).map(({ labels, value }) => [...Object.values(labels), value]);
}

/** The figures of a document that switches something off. */
function keeping(flags: { readonly [flag: string]: boolean }, more: Partial<IntegrationFigures> = {}) {
  const { health, stats } = full.figures;
  const metrics = metricsFrom({ metrics: flags }, health.connectionStatus, stats);
  return { ...full.figures, health: { ...health, metrics }, stats: { ...stats, metrics }, ...more };
}

describe('GET /metrics', () => {
  it('is the text format of Prometheus, with the version, every integration and every channel', async () => {
    const { app } = startApi();
    const response = await app.request('/metrics');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, PROMETHEUS_TYPE]);
    const families = parseExposition(await response.text());
    expect(valuesOf(families.get('explorerio_build_info'))).toEqual([['9.8.7', 1]]);
    expect(valuesOf(families.get('explorerio_integration_info'))).toEqual([['sales', 'postgresql', 1]]);
    expect(valuesOf(families.get('explorerio_connection_status'))).toEqual([
      ['sales', 'connected', 1],
      ['sales', 'failed', 0],
      ['sales', 'unknown', 0],
    ]);
    expect(valuesOf(families.get('explorerio_sync_duration_seconds'))).toEqual([
      ['sales', 'p50', 1],
      ['sales', 'p95', 2],
      ['sales', 'max', 3],
    ]);
    expect(valuesOf(families.get('explorerio_health_check_passed'))).toEqual([['sales', 0]]);
    expect(valuesOf(families.get('explorerio_health_check_timestamp_seconds'))).toEqual([['sales', 1_767_323_045.678]]);
    expect(valuesOf(families.get('explorerio_notification_channel_status'))).toContainEqual(['email', 'failing', 1]);
    expect(families.get('explorerio_notification_sent_total')).toMatchObject({ type: 'counter' });
  });

  it('asks for the key of the API', async () => {
    const { app } = startApi({ apiKey: new Secret('the-key') });
    expect((await app.request('/metrics')).status).toBe(401);
    expect((await app.request('/metrics', { headers: { Authorization: 'Bearer the-key' } })).status).toBe(200);
  });
});

describe('the exposition', () => {
  it.each([
    ['connection_status', /connection_status|integration_status|health_check_/],
    ['sync_performance', /_sync_(duration|rows|bytes)_|kept_rows|kept_bytes/],
    ['error_rates', /_error_ratio|kept_runs|kept_(quarantined|skipped)_records/],
    ['data_freshness', /last_sync_age_seconds/],
  ])('has nothing that %s switches off, and all else', (flag, pattern) => {
    const all = [...parseExposition(textOf(full.figures)).keys()];
    const kept = [...parseExposition(textOf(keeping({ [flag]: false }))).keys()];
    const gone = all.filter((name) => !kept.includes(name));
    expect(gone.length).toBeGreaterThan(0);
    expect(gone).toEqual(all.filter((name) => pattern.test(name)));
  });

  it('tells of the one that keeps a figure where another does not', () => {
    const other = keeping({ error_rates: false }, { integration: 'other' });
    const families = parseExposition(textOf(full.figures, other));
    expect(valuesOf(families.get('explorerio_run_error_ratio'))).toEqual([['sales', 0.2]]);
    expect(valuesOf(families.get('explorerio_integrations'))).toEqual([[2]]);
  });

  it('escapes what stands in labels', () => {
    const odd = 'a"b\\c\nd{}=,';
    const families = parseExposition(textOf({ ...full.figures, integration: odd }));
    expect(families.get('explorerio_kept_rows')?.samples[0]?.labels).toEqual({ integration: odd });
  });

  it('has what docs/health.md names, and nothing else', () => {
    const page = readFileSync(new URL('../../docs/health.md', import.meta.url), 'utf8');
    const names = [...parseExposition(textOf(full.figures)).keys()].map((name) => name.replace('explorerio_', ''));
    const named = (name: string) => page.includes(`\`${name.startsWith('health_check_') ? 'health_check_*' : name}\``);
    expect(names.filter((name) => !named(name))).toEqual([]);
    const section = page.slice(page.indexOf('## Metrics'), page.indexOf('What an alert of'));
    const told = [...section.matchAll(/`([a-z_]+_[a-z_]+)`/g)].map(([, name = '']) => name);
    const flags = ['connection_status', 'sync_performance', 'error_rates', 'data_freshness'];
    expect(told.filter((name) => !names.includes(name) && !flags.includes(name))).toEqual([]);
  });

  it('of nothing has no metric without a sample', () => {
    const text = prometheusText({ version: '1', integrations: [], channels: [] });
    expect([...parseExposition(text).keys()]).toEqual(['explorerio_build_info', 'explorerio_integrations']);
  });
});

describe('the reader of this test', () => {
  const RIGHT = '# HELP a b\n# TYPE a gauge\na{b="c"} 1\n';
  it('takes what is right', () => expect(parseExposition(RIGHT).size).toBe(1));

  it.each([
    ['no end of the last line', RIGHT.trimEnd()],
    ['no TYPE', '# HELP a b\na 1\n'],
    ['no HELP', '# TYPE a gauge\na 1\n'],
    ['an unknown type', '# HELP a b\n# TYPE a speed\na 1\n'],
    ['a sample twice', `${RIGHT}a{b="c"} 2\n`],
    ['a sample of another metric', `${RIGHT}c 2\n`],
    ['a quote in a label', '# HELP a b\n# TYPE a gauge\na{b="c"d"} 1\n'],
    ['a wrong escape', '# HELP a b\n# TYPE a gauge\na{b="c\\d"} 1\n'],
    ['a value that is none', '# HELP a b\n# TYPE a gauge\na 1,5\n'],
    ['an empty line', `${RIGHT}\n`],
    ['a counter without its ending', '# HELP a b\n# TYPE a counter\na 1\n'],
  ])('refuses %s', (_what, text) => expect(() => parseExposition(text)).toThrow());
});
