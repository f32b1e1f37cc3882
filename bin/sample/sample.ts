import { Client } from 'pg';
import { Fault } from '../../lib/core/fault';
import { FINAL_STATES, type RunDetails } from '../../lib/core/run';
import { DESTINATION_DATABASE, psqlLine } from '../destination-home';
import type { Home } from '../embedded';
import { count, duration } from '../output/format';
import type { Printer } from '../output/printer';
import { CITIES_ATTRIBUTION, COUNTRIES_ATTRIBUTION } from './data';
import { SAMPLE_URL, samplePassword } from './secrets';
import { largestCities, tableIn } from './show';
import { fillSampleSource, SAMPLE_DATABASE } from './source';

/** Name of the sample's integration, and of its schema in the destination. */
export const SAMPLE = 'sample';

const DOCUMENT = {
  name: SAMPLE,
  type: 'postgresql',
  description: `A sample of real data, to try ExplorerIO with. ${CITIES_ATTRIBUTION} ${COUNTRIES_ATTRIBUTION}`,
  connection: { uri: `\${${SAMPLE_URL}}` },
  sync_settings: { mode: 'incremental', schedule: '0 * * * *' },
  sync_strategy: { type: 'incremental', method: 'timestamp', timestamp_field: 'updated_at' },
};

/**
 * Fills the demo source database and creates the integration that reads it, where there is no integration at all yet.
 * The integration comes last: without it, the next start begins anew.
 */
export async function prepareSample(home: Home, printer: Printer): Promise<void> {
  if ((await home.service.list()).length > 0) return;
  const start = performance.now();
  const { host, port, user, password } = await home.server();
  const rows = await fillSampleSource({ host, port, user, password }, await samplePassword(home.dataFolder));
  await home.service.create(DOCUMENT);
  const seconds = (performance.now() - start) / 1000;
  printer.note(`Sample: filled the demo database with ${count(rows)} rows in ${duration(seconds)}.`);
}

/** Syncs the sample when that was never done, and shows what arrived. */
export async function showSample(home: Home, printer: Printer, signal: AbortSignal): Promise<void> {
  const known = (await home.service.list()).some(({ id }) => id === SAMPLE);
  if (!known) return;
  const run = await firstRun(home, signal);
  if (signal.aborted) return;
  if (run.state !== 'succeeded') {
    printer.note(`Sample: its last run is ${run.state}. See: explorerio status ${SAMPLE}`);
    return;
  }
  printer.note(`Sample: ${count(run.rows)} rows synced in ${duration(run.seconds)}.`);
  if (!printer.json) printer.out.write(await sampleText(home));
}

async function firstRun({ service }: Home, signal: AbortSignal): Promise<RunDetails> {
  const [last] = await service.runs(SAMPLE, { limit: 1 });
  const { id } = last ?? (await service.sync(SAMPLE, { trigger: 'start', whenRunning: 'refuse' }));
  const run = await service.wait(id, signal);
  if (FINAL_STATES.includes(run.state) || signal.aborted) return run;
  throw new Fault('bug', 'unexpected_state', `waiting for run ${id} of the sample: it is still ${run.state}`);
}

async function sampleText(home: Home): Promise<string> {
  const { passwordFile, ...server } = await home.server();
  const client = new Client({ ...server, database: DESTINATION_DATABASE });
  await client.connect();
  try {
    const cities = await tableIn(client, SAMPLE, 'cities');
    if (cities === undefined) return '';
    const psql = psqlLine(server, passwordFile);
    const change = `UPDATE cities SET population = population + 1 WHERE name = 'Vienna' AND country = 'AT'`;
    return `
The largest city of each continent, from the tables that were just loaded:

${await largestCities(client, SAMPLE)}

  ${CITIES_ATTRIBUTION}
  ${COUNTRIES_ATTRIBUTION}

Try it:
  ${psql} -c 'SELECT * FROM ${SAMPLE}.${cities} ORDER BY population DESC LIMIT 10'
  ${psqlLine(server, passwordFile, SAMPLE_DATABASE)} -c "${change}"
  npx explorerio sync ${SAMPLE}    # reads the one row that changed

`;
  } finally {
    await client.end();
  }
}
