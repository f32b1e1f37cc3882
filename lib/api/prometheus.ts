import type { ChannelStatus } from '../core/channel';
import type { IntegrationFigures } from '../core/service';

/** What a scrape is answered with: the text format of Prometheus, version 0.0.4. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = { readonly [name: string]: string };
type Sample = readonly [labels: Labels, value: number];

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** What there is to tell. */
export interface Measured {
  readonly version: string;
  readonly integrations: readonly IntegrationFigures[];
  readonly channels: readonly ChannelStatus[];
}

/** All figures as text. What a document has switched off under `metrics` is left out. */
export function prometheusText({ version, integrations, channels }: Measured): string {
  const families = [
    gauge('build_info', 'Always 1; the version is a label.', [[{ version }, 1]]),
    gauge('integrations', 'Integrations that are stored.', [[{}, integrations.length]]),
    ...aboutFamilies(integrations),
    ...connectionFamilies(integrations),
    ...performanceFamilies(integrations),
    ...errorFamilies(integrations),
    ...channelFamilies(channels),
  ];
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('');
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `explorerio_${name}`, type: 'gauge', help, samples };
}

/** A gauge with one sample for each integration that has a value. */
function each(
  name: string,
  help: string,
  integrations: readonly IntegrationFigures[],
  value: (one: IntegrationFigures) => number | undefined,
): Family {
  return gauge(
    name,
    help,
    integrations.flatMap((one): Sample[] => {
      const found = value(one);
      return found === undefined ? [] : [[{ integration: one.integration }, found]];
    }),
  );
}

/** A gauge with one sample for each of some words, 1 for the one that is true. */
function words(
  name: string,
  help: string,
  all: readonly string[],
  told: readonly (readonly [labels: Labels, word: string | undefined])[],
): Family {
  const samples = told.flatMap(([labels, word]) =>
    word === undefined ? [] : all.map((state): Sample => [{ ...labels, state }, state === word ? 1 : 0]),
  );
  return gauge(name, help, samples);
}

function aboutFamilies(all: readonly IntegrationFigures[]): Family[] {
  const info = all.map(({ integration, type }): Sample => [{ integration, type }, 1]);
  return [
    gauge('integration_info', 'Always 1; the type of the source is a label.', info),
    each('integration_enabled', '1 unless the integration is paused.', all, ({ enabled }) => (enabled ? 1 : 0)),
    each('last_sync_age_seconds', 'Time since data was last brought up to date.', all, ({ health }) => {
      return health.metrics.dataFreshness?.lastSyncAgeSeconds;
    }),
    each('cost_usd', 'What the runs that are kept would have cost as functions.', all, ({ stats }) => stats.costUsd),
  ];
}

function connectionFamilies(all: readonly IntegrationFigures[]): Family[] {
  const kept = all.filter(({ health }) => health.metrics.connectionStatus !== undefined);
  const labelled = kept.map(({ integration, health }) => ({ labels: { integration }, health }));
  const made = kept.flatMap(({ integration, health: { healthCheck: check } }) =>
    check?.at === undefined ? [] : [{ labels: { integration }, check }],
  );
  const test = (name: string, help: string, value: (check: (typeof made)[number]['check']) => number) =>
    gauge(
      `health_check_${name}`,
      help,
      made.map(({ labels, check }): Sample => [labels, value(check)]),
    );
  return [
    words(
      'connection_status',
      'What the newer of the last run and the last connection test showed.',
      ['connected', 'failed', 'unknown'],
      labelled.map(({ labels, health }) => [labels, health.connectionStatus]),
    ),
    words(
      'integration_status',
      'What the last runs and connection tests showed.',
      ['healthy', 'degraded', 'failed', 'unknown'],
      labelled.map(({ labels, health }) => [labels, health.status]),
    ),
    test('passed', '1 when the last connection test passed.', ({ recent }) => (recent[0]?.passed ? 1 : 0)),
    test('seconds', 'How long its last attempt took.', ({ milliseconds = 0 }) => milliseconds / 1000),
    test('consecutive_failures', 'Tests that failed since one passed.', (check) => check.consecutiveFailures),
    test('timestamp_seconds', 'When the last connection test began.', ({ at = '' }) => Date.parse(at) / 1000),
  ];
}

function performanceFamilies(all: readonly IntegrationFigures[]): Family[] {
  const kept = all.filter(({ stats }) => stats.metrics.syncPerformance !== undefined);
  const durations = kept.flatMap(({ integration, stats: { seconds } }): Sample[] => [
    [{ integration, statistic: 'p50' }, seconds.p50],
    [{ integration, statistic: 'p95' }, seconds.p95],
    [{ integration, statistic: 'max' }, seconds.max],
  ]);
  return [
    gauge('sync_duration_seconds', 'Times of the runs that are kept.', durations),
    each('sync_rows_per_second', 'Rows of all runs that are kept, by their time.', kept, ({ stats }) => {
      return stats.rowsPerSecond;
    }),
    each('sync_bytes_per_second', 'Bytes of all runs that are kept, by their time.', kept, ({ stats }) => {
      return stats.bytesPerSecond;
    }),
    each('kept_rows', 'Rows of the runs that are kept.', kept, ({ stats }) => stats.rows),
    each('kept_bytes', 'Bytes of the runs that are kept.', kept, ({ stats }) => stats.bytes),
  ];
}

function errorFamilies(all: readonly IntegrationFigures[]): Family[] {
  const kept = all.filter(({ stats }) => stats.metrics.errorRates !== undefined);
  const runs = kept.flatMap(({ integration, stats: { runs: counts } }) =>
    (['succeeded', 'partial', 'failed', 'cancelled'] as const).map(
      (state): Sample => [{ integration, state }, counts[state]],
    ),
  );
  return [
    gauge('kept_runs', 'Runs that ended and are kept.', runs),
    each('run_error_ratio', 'Failed runs among those that are kept.', kept, ({ stats }) => stats.errorRate),
    each('record_error_ratio', 'Records that were quarantined or skipped, among all.', kept, ({ stats }) => {
      return stats.recordErrorRate;
    }),
    each('kept_quarantined_records', 'Records that the runs that are kept have quarantined.', kept, ({ stats }) => {
      return stats.quarantined;
    }),
    each('kept_skipped_records', 'Records that the runs that are kept have skipped.', kept, ({ stats }) => {
      return stats.skipped;
    }),
  ];
}

function channelFamilies(channels: readonly ChannelStatus[]): Family[] {
  const counts = (name: string, help: string, value: (one: ChannelStatus) => number): Family => ({
    ...gauge(
      `notification_${name}`,
      help,
      channels.map((one): Sample => [{ channel: one.channel }, value(one)]),
    ),
    type: name.endsWith('_total') ? 'counter' : 'gauge',
  });
  return [
    words(
      'notification_channel_status',
      'How a channel of notifications stands.',
      ['ok', 'idle', 'failing', 'missing'],
      channels.map(({ channel, state }) => [{ channel }, state]),
    ),
    counts('waiting', 'Notifications that wait to be sent.', ({ waiting }) => waiting),
    counts('sent_total', 'Messages that were taken.', ({ sent }) => sent),
    counts('given_up_total', 'Notifications that were given up.', ({ givenUp }) => givenUp),
  ];
}

function familyText({ name, type, help, samples }: Family): string {
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
