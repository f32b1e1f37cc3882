import { readFileSync } from 'node:fs';
import { commandLine } from './command-line';

const COMMANDS = [
  'serve',
  'sync',
  'check',
  'discover',
  'plan',
  'validate',
  'status',
  'health',
  'stats',
  'runs',
  'run',
  'cancel',
  'quarantine',
  'search',
  'list',
  'remove',
];

describe('the help', () => {
  it('names every command, the global options, the exit codes and examples', async () => {
    const { code, out } = await commandLine(['--help']);
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    for (const option of ['--data', '--url', '--stage', '--json', '--api-key-env', '--destination-url'])
      expect(out).toContain(option);
    for (const exit of [0, 1, 2, 3, 4, 130]) expect(out).toMatch(new RegExp(`^  ${exit} `, 'm'));
    expect(out).toContain('explorerio sync shop.json');
  });

  it.each(COMMANDS)('of %s describes it, with an example', async (name) => {
    const { code, out } = await commandLine([name, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: explorerio /);
    expect(out).toMatch(/Examples?:\n {2}explorerio /);
    expect(out).toContain('--data');
  });

  it('says the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await commandLine(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });
});

describe('wrong usage ends with code 2', () => {
  it.each([
    ['an unknown command, with a suggestion', ['synk'], /unknown command 'synk'[\s\S]*sync/],
    ['an unknown option, with a suggestion', ['sync', 'shop', '--ful'], /unknown option '--ful'[\s\S]*--full/],
    ['a missing argument', ['sync'], /missing required argument/],
    ['too many arguments', ['remove', 'a', 'b'], /too many arguments/],
    ['options that exclude each other', ['sync', 'a', '--full', '--incremental'], /cannot be used with/],
    ['a stage and an address', ['--stage', 'dev', '--url', 'http://127.0.0.1:1', 'status'], /cannot be used with/],
    ['a limit that is no number', ['runs', '--limit', 'many'], /whole number from 1 to 500/],
    ['a port out of range', ['serve', '--port', '70000'], /0 to 65535/],
    ['no command at all', [], /Usage: explorerio/],
  ])('%s', async (_what, args, message) => {
    const { code, out, err } = await commandLine(args);
    expect(err).toMatch(message);
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});
