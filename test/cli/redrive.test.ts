import type { Redriven, RedriveQuery } from '../../lib/core/service';
import { commandLine, connectionTo } from './command-line';

const STARTED: Redriven = { integration: 'shop', run: 'r1', outcome: 'started', started: 'r2', note: 'anew' };
const KEPT: Redriven = { outcome: 'kept', note: 'message 7 names no run' };
const TICK: Redriven = { integration: 'crm', outcome: 'removed', note: 'paused' };

describe('runs redrive', () => {
  const asked: RedriveQuery[] = [];
  const redriving = (...letters: Redriven[]) =>
    connectionTo({
      redrive: async (query) => {
        asked.push(query);
        return letters;
      },
    });

  it('says what became of each letter', async () => {
    const connection = redriving(STARTED, TICK);
    const { code, out } = await commandLine(['runs', 'redrive'], { connection });
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['INTEGRATION', 'RUN', 'DEAD LETTER', 'NEW RUN', 'NOTE'],
      ['shop', 'r1', 'started anew', 'r2', 'anew'],
      ['crm', '(schedule)', 'removed', 'paused'],
      [''],
    ]);
    expect([code, connection.closed]).toEqual([0, 1]);
  });

  it('asks for what was named, and prints JSON', async () => {
    asked.length = 0;
    await commandLine(['runs', 'redrive'], { connection: redriving() });
    await commandLine(['runs', 'redrive', 'shop'], { connection: redriving() });
    const { out } = await commandLine(['runs', 'redrive', '--run', 'r1', '--json'], { connection: redriving(STARTED) });
    expect(asked).toEqual([{}, { integration: 'shop' }, { run: 'r1' }]);
    expect(JSON.parse(out)).toEqual({ letters: [STARTED] });
  });

  it.each([
    ['nothing is there', [], 0],
    ['every letter is kept', [KEPT], 1],
    ['some are kept', [STARTED, KEPT], 3],
  ] as const)('when %s ends with its own code', async (_what, letters, expected) => {
    const { code, out } = await commandLine(['runs', 'redrive'], { connection: redriving(...letters) });
    expect(code).toBe(expected);
    expect(out).toMatch(letters.length === 0 ? /no dead letter/ : /names no run/);
  });

  it('leaves the list of runs as it is', async () => {
    const connection = connectionTo({ runs: async () => [] });
    expect(await commandLine(['runs', 'shop'], { connection })).toMatchObject({
      code: 0,
      out: 'There is no run yet.\n',
    });
  });

  it('explains itself', async () => {
    const { out } = await commandLine(['runs', 'redrive', '--help']);
    expect(out).toMatch(/^Usage: explorerio runs redrive /);
    expect(out).toContain('Mend the cause');
  });
});
