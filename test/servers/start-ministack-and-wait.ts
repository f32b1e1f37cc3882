import { setInterval } from 'node:timers';
import { startMinistack } from './ministack';

// node scripts/run.mjs test/servers/start-ministack-and-wait.ts: an emulator for as long as this process lives
const { pid, url } = await startMinistack();
process.stdout.write(`${JSON.stringify({ pid, url })}\n`);
setInterval(() => undefined, 60_000);
