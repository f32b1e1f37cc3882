import { parseArgs } from 'node:util';
import { playCampaign } from '../test/chaos/kill-campaign';
import { Program } from '../test/cli/program';
import { startPostgresql } from '../test/servers/postgresql';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string', default: '200000' },
    postgresql: { type: 'string', default: '18' },
  },
});
const [kills, seed, rows] = [Number(values.kills), Number(values.seed), Number(values.rows)];
const settings = { shared_buffers: '256MB', max_wal_size: '4GB', max_connections: '200' };
const server = await startPostgresql({ version: values.postgresql === '15' ? 15 : 18, settings });
const program = new Program();
try {
  const outcome = await playCampaign(server, program, { kills, seed, rows, log: (line) => console.error(line) });
  console.log(JSON.stringify({ seed, ...outcome }, undefined, 2));
  process.exitCode = outcome.problems.length === 0 ? 0 : 1;
} finally {
  program.remove();
  await server.stop();
}
