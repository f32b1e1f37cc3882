import { metricsOf } from '../../lib/adapters/aws/alarm-spec';
import { planAlarms } from '../../lib/adapters/aws/integration-plan';
import type { IntegrationDocument } from '../../lib/core/integration';
import { PRICES_AS_OF, restingCost } from '../../lib/engine/cost';
import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import type { ConnectorList, IntegrationList, RunList } from '../wire';

const HELP = `
Of a deployed stage (--stage, --url), from its own counts and list prices of us-east-1: what it costs a month while nothing runs
(without storage, traffic, an Aurora or secrets of sources), and what the last runs of each integration cost as functions.

Example:
  explorerio --stage prod cost`;

const RUNS = 20;
const ANYWHERE = { stage: '', prefix: '', topicArn: '', runbook: '' };

/** `explorerio cost`: an estimate of what a stage and its runs cost. */
export const addCost: AddCommand = (program, cli) => {
  const command = program
    .command('cost')
    .description('estimate what a deployed stage and its runs cost')
    .addHelpText('after', HELP);
  performConnected(command, cli, 'state', cost);
};

async function cost({ printer }: Call<object>, { client }: Connection): Promise<number> {
  const { connectors } = await client.request<ConnectorList>('GET', '/api/connectors');
  const { integrations } = await client.request<IntegrationList>('GET', '/api/integrations');
  const resting = restingCost(connectors.length, integrations.length, alertMetrics(integrations));
  const runs = [];
  for (const { id } of integrations) {
    const path = integrationPath(id, `/runs?limit=${RUNS}`);
    const { runs: last } = await client.request<RunList>('GET', path);
    const usd = last.reduce((sum, run) => sum + run.cost.usd, 0);
    runs.push({ integration: id, runs: last.length, usd });
  }
  const total = resting.reduce((sum, { usd }) => sum + usd, 0);
  const found = { prices_as_of: PRICES_AS_OF, resting_usd_a_month: Math.round(total * 100) / 100, resting, runs };
  printer.result(found, () => costText(found));
  return ExitCode.Ok;
}

/** An alarm costs by the metrics in it. */
function alertMetrics(integrations: IntegrationList['integrations']): number {
  const alarms = integrations.flatMap(({ document }) => planAlarms(document as IntegrationDocument, ANYWHERE));
  return alarms.reduce((total, alarm) => total + metricsOf(alarm), 0);
}

interface Cost {
  readonly prices_as_of: string;
  readonly resting_usd_a_month: number;
  readonly resting: readonly { readonly part: string; readonly count: number; readonly usd: number }[];
  readonly runs: readonly { readonly integration: string; readonly runs: number; readonly usd: number }[];
}

function costText({ prices_as_of, resting_usd_a_month, resting, runs }: Cost): string {
  const parts = table(
    [{ title: 'while nothing runs' }, { title: 'count' }, { title: '$ a month' }],
    resting.map(({ part, count, usd }) => [part, String(count), usd.toFixed(2)]),
  );
  const last = table(
    [{ title: 'integration' }, { title: 'last runs' }, { title: '$' }],
    runs.map(({ integration, runs: count, usd }) => [integration, String(count), usd.toFixed(6)]),
  );
  const sum = `At rest: $${resting_usd_a_month.toFixed(2)} a month (an estimate, list prices of ${prices_as_of})`;
  return `${parts}\n${sum}\n\n${runs.length === 0 ? 'There is no integration yet.' : last}`;
}
