import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cleanup } from '../../bin/cleanup';
import { psqlLine, psqlLineOf, rememberDestination, writePasswordFile } from '../../bin/destination-home';
import { readEnvironment } from '../../bin/environment';
import type { Json } from '../../lib/core/json';
import type { Logger } from '../../lib/core/log';
import type { StateKey, StateStore } from '../../lib/core/ports';
import { silent } from './command-line';

const server = { host: '127.0.0.1', port: 21_432, user: 'explorerio', password: 'a:b\\c' };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'explorerio-home-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function memoryState(): StateStore {
  const items = new Map<string, Json>();
  const name = ({ partition, sort }: StateKey) => `${partition} ${sort}`;
  return {
    async get(key) {
      const value = items.get(name(key));
      return value === undefined ? undefined : { ...key, revision: 1, value };
    },
    async put(key, value) {
      items.set(name(key), value);
      return 1;
    },
    query: async () => [],
    delete: async () => true,
  };
}

describe('psql', () => {
  it('finds the password in a file for the owner alone, escaped as libpq wants it', () => {
    const file = writePasswordFile(folder, server);
    expect(readFileSync(file, 'utf8')).toBe('127.0.0.1:21432:*:explorerio:a\\:b\\\\c\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is called by a line that can be pasted', () => {
    expect(psqlLine(server, join(process.cwd(), '.explorerio', 'pgpass'))).toBe(
      'PGPASSFILE=.explorerio/pgpass psql -h 127.0.0.1 -p 21432 -U explorerio explorerio',
    );
    expect(psqlLine(server, "/tmp/it's here/pgpass", 'demo')).toMatch(
      /^PGPASSFILE='\/tmp\/it'\\''s here\/pgpass' .* demo$/,
    );
  });

  it('is never shown the password of a server of the user', () => {
    expect(psqlLineOf('postgresql://me:very-secret@db:5433/x')).toBe(`psql 'postgresql://me@db:5433/x'`);
  });
});

describe('where a data folder loads into', () => {
  it('is remembered: forgetting the URL is refused, another one is taken with a warning', async () => {
    const state = memoryState();
    const warnings: string[] = [];
    const log: Logger = { ...silent, warn: (message) => void warnings.push(message) };
    await rememberDestination(state, 'postgresql://me:very-secret@db/x', log);
    await rememberDestination(state, 'postgresql://other:password@db:5432/x', log);
    expect(warnings).toEqual([]);
    const forgotten = rememberDestination(state, undefined, log);
    await expect(forgotten).rejects.toMatchObject({ code: 'destination_missing', kind: 'config' });
    await expect(forgotten).rejects.toThrow('loads into db:5432/x');
    await rememberDestination(state, 'postgresql://me:very-secret@db2/x', log);
    expect(warnings).toHaveLength(1);
  });

  it('may change from the embedded server to another', async () => {
    const state = memoryState();
    await rememberDestination(state, undefined, silent);
    await rememberDestination(state, undefined, silent);
    await rememberDestination(state, 'postgresql://me@db/x', silent);
    await expect(rememberDestination(state, undefined, silent)).rejects.toThrow('db:5432/x');
  });

  it.each(['very-secret', 'http://me:very-secret@db/x', 'postgresql://me:very-secret%zz@db/x'])(
    'must be a URL, which is not repeated in the message: %s',
    async (url) => {
      const wrong = rememberDestination(memoryState(), url, silent);
      await expect(wrong).rejects.toMatchObject({ code: 'invalid_destination_url' });
      await expect(wrong).rejects.not.toThrow('very-secret');
    },
  );
});

describe('the environment', () => {
  it('wins over .env, and a missing file is none', () => {
    writeFileSync(join(folder, '.env'), 'A=from the file\nB="also"\n');
    const environment = readEnvironment(join(folder, '.env'), { A: 'set outside' });
    expect(environment).toMatchObject({ A: 'set outside', B: 'also' });
    expect(process.env.B).not.toBe('also');
    expect(readEnvironment(join(folder, 'none'), { A: '1' })).toEqual({ A: '1' });
  });

  it('that cannot be read is said', () => {
    expect(() => readEnvironment(folder, {})).toThrow(/reading .*: EISDIR/);
  });
});

describe('cleaning up', () => {
  it('goes backwards, does not stop at a failure, and is done once', async () => {
    const done: string[] = [];
    const failures: unknown[] = [];
    const log: Logger = { ...silent, error: (_message, fields) => void failures.push(fields) };
    const cleanup = new Cleanup();
    cleanup.add('closing the first', () => void done.push('first'));
    cleanup.add('closing the second', () => Promise.reject(new Error('no')));
    cleanup.add('closing the third', async () => void done.push('third'));
    await Promise.all([cleanup.run(log), cleanup.run(log)]);
    expect(done).toEqual(['third', 'first']);
    expect(failures).toEqual([{ fault: expect.objectContaining({ message: 'closing the second: no' }) }]);
  });
});
