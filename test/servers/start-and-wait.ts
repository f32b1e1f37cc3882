import { setInterval } from 'node:timers';
import { startPostgresql } from './postgresql';

// node scripts/run.mjs test/servers/start-and-wait.ts 15|18: a server for as long as this process lives
const server = await startPostgresql({ version: process.argv[2] === '18' ? 18 : 15 });
process.stdout.write(`${JSON.stringify({ pid: server.pid, dataDirectory: server.dataDirectory, url: server.url })}\n`);
setInterval(() => undefined, 60_000);
