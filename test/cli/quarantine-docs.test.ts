import { readFileSync } from 'node:fs';
import { errorHandling } from '../../lib/core/validation-rules';
import { boundsOf } from '../../lib/engine/quarantine-bounds';
import { commandLine, connectionTo } from './command-line';
import { quarantined } from './records';

const page = readFileSync(new URL('../../docs/quarantine.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
const commands = blocks('explorerio').join('').trim().split('\n');

describe('the examples of docs/quarantine.md', () => {
  it('are the default bounds', () => {
    const [text = ''] = blocks('json');
    const handling = errorHandling.parse(JSON.parse(text).error_handling);
    expect(boundsOf({ error_handling: handling })).toEqual(boundsOf({}));
  });

  it.each(commands)('are commands that work: %s', async (command) => {
    const [program, ...args] = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
    expect(program).toBe('explorerio');
    const connection = connectionTo({
      quarantined: async () => [quarantined('42')],
      quarantinedRecord: async () => quarantined('42'),
      editQuarantined: async () => quarantined('42'),
      dropQuarantined: async () => 1,
      replayQuarantined: async () => ({ outcomes: [] }),
    });
    expect(await commandLine(args, { connection })).toMatchObject({ code: 0, err: '' });
  });

  it('show every command, and name every outcome', async () => {
    const { out } = await commandLine(['quarantine', '--help']);
    const known = [...out.matchAll(/^ {2}(\w+) (?:\[options\] )?</gm)].map(([, name]) => name);
    expect(known.sort()).toEqual(['drop', 'edit', 'list', 'replay', 'show']);
    for (const name of known) expect(page).toContain(`explorerio quarantine ${name} `);
    for (const outcome of ['loaded', 'failed again', 'superseded', 'left out by a filter', 'postponed']) {
      expect(page).toContain(`| ${outcome} |`);
    }
  });
});
