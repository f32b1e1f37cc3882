import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckReport } from '../../lib/core/check';
import { Fault } from '../../lib/core/fault';
import type { IntegrationDocument } from '../../lib/core/integration';
import type { RunState } from '../../lib/core/run';
import type { Service, SyncRequest } from '../../lib/core/service';
import { commandLine, connectionTo } from './command-line';
import { integration, quarantined, run, status } from './records';

const shop = { list: async () => [integration('shop')], validate: async () => [] } satisfies Partial<Service>;

function syncing(state: RunState, requests: SyncRequest[] = []): Partial<Service> {
  const stream = run('r1', state);
  return {
    ...shop,
    sync: async (_id, request) => {
      requests.push(request);
      return run('r1', 'running');
    },
    run: async () => stream,
  };
}

describe('sync', () => {
  it.each([
    ['succeeded', 0],
    ['failed', 1],
    ['cancelled', 1],
    ['partial', 3],
  ] as const)('of a run that %s ends with %i', async (state, expected) => {
    const connection = connectionTo(syncing(state));
    const { code, out, err } = await commandLine(['sync', 'shop'], { connection });
    expect(code).toBe(expected);
    expect(out).toContain(`shop: ${state}, 1,234 rows, 56.8 kB, 3.2 s (run r1)`);
    expect(err).toContain(`shop public.orders: ${state}, 1,234 rows`);
    expect(connection.closed).toBe(1);
  });

  it('with --json prints only JSON', async () => {
    const { out, err } = await commandLine(['sync', 'shop', '--json'], {
      connection: connectionTo(syncing('succeeded')),
    });
    expect(JSON.parse(out).runs[0]).toMatchObject({ id: 'r1', state: 'succeeded', cancel_requested: false });
    expect(err).toBe('');
  });

  it('passes on what was asked for', async () => {
    const requests: SyncRequest[] = [];
    const connection = connectionTo(syncing('succeeded', requests), 'http://127.0.0.1:8080');
    await commandLine(['sync', 'shop', '--full'], { connection });
    await commandLine(['sync', 'shop', '--incremental', '--queue'], { connection });
    expect(requests).toMatchObject([
      { type: 'full', trigger: 'manual', whenRunning: 'refuse' },
      { type: 'incremental', whenRunning: 'queue' },
    ]);
  });

  it('of an integration that a server is syncing is busy', async () => {
    const service = {
      ...shop,
      sync: async () => {
        throw new Fault('config', 'run_active', 'starting a sync of shop: run r0 is going on', {
          hint: 'Wait.',
          run: 'r0',
        });
      },
    };
    const server = connectionTo(service, 'http://127.0.0.1:8080');
    const { code, err } = await commandLine(['sync', 'shop'], { connection: server });
    expect(err).toContain('error: starting a sync of shop: run r0 is going on\nhint: Wait.');
    expect(code).toBe(4);
    // Without a server it was interrupted, and is followed.
    const alone = connectionTo({ ...service, run: async () => run('r0', 'succeeded') });
    const resumed = await commandLine(['sync', 'shop'], { connection: alone });
    expect(resumed.err).toContain('shop: resuming run r0');
    expect(resumed.code).toBe(0);
  });

  it('stops waiting when it is interrupted', async () => {
    const interrupt = new AbortController();
    const service = {
      ...syncing('running'),
      run: async () => {
        interrupt.abort();
        return run('r1', 'running');
      },
    };
    const connection = connectionTo(service, 'http://127.0.0.1:8080');
    const { code, err } = await commandLine(['sync', 'shop'], { connection, signal: interrupt.signal });
    expect(err).toContain('The server goes on with it');
    expect(code).toBe(130);
  });

  it('without waiting needs a server', async () => {
    const alone = await commandLine(['sync', 'shop', '--no-wait'], { connection: connectionTo(syncing('running')) });
    expect(alone).toMatchObject({ code: 2, out: '' });
    const connection = connectionTo(syncing('running'), 'http://127.0.0.1:8080');
    expect(await commandLine(['sync', 'shop', '--no-wait'], { connection })).toMatchObject({
      code: 0,
      out: expect.stringContaining('shop: running'),
    });
  });

  it('of an unknown name suggests one', async () => {
    const { code, err } = await commandLine(['sync', 'shopp'], { connection: connectionTo(shop) });
    expect(err).toContain('hint: Did you mean shop?');
    expect(code).toBe(2);
  });
});

describe('sync from files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'explorerio-sync-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, document: IntegrationDocument): void =>
    writeFileSync(join(folder, name), JSON.stringify(document));

  it('creates, updates or leaves what is stored, and syncs it', async () => {
    const calls: string[] = [];
    const stored = integration('b');
    const service: Partial<Service> = {
      ...syncing('succeeded'),
      list: async () => [stored, integration('c')],
      create: async (document) => {
        const { name } = document as { name: string };
        if (name !== 'a') throw new Fault('config', 'already_exists', `creating ${name}: it exists`);
        calls.push('create a');
        return integration('a');
      },
      get: async (id) => integration(id),
      update: async (id) => {
        calls.push(`update ${id}`);
        return integration(id);
      },
    };
    write('a.json', integration('a').document);
    write('b.json', stored.document);
    write('c.json', { ...integration('c').document, description: 'new' });
    const { code, err } = await commandLine(['sync', folder], { connection: connectionTo(service) });
    expect(calls).toEqual(['create a', 'update c']);
    expect(err).toMatch(/a: created\nb: unchanged\nc: updated\n/);
    expect(code).toBe(0);
  });

  it('uses no file when one is wrong', async () => {
    const created: unknown[] = [];
    const service: Partial<Service> = {
      ...shop,
      validate: async (document) => {
        if ((document as { name: string }).name !== 'b') return [];
        throw new Fault('config', 'invalid_config', 'wrong', {
          issues: [{ path: 'connection.port', message: 'too big' }],
        });
      },
      create: async (document) => {
        created.push(document);
        return integration('a');
      },
    };
    write('a.json', integration('a').document);
    write('b.json', integration('b').document);
    const { code, err } = await commandLine(['sync', folder], { connection: connectionTo(service) });
    expect(err).toContain(`${join(folder, 'b.json')}: connection.port: too big`);
    expect(created).toEqual([]);
    expect(code).toBe(2);
  });
});

describe('check', () => {
  const report = (passed: boolean): CheckReport => ({
    passed,
    steps: [
      { name: 'resolve', state: 'passed', detail: 'db is 10.0.0.1', milliseconds: 2 },
      passed
        ? { name: 'connect', state: 'passed', detail: 'connected', milliseconds: 3 }
        : { name: 'connect', state: 'failed', detail: 'refused', hint: 'Start it.', milliseconds: 3 },
    ],
  });

  it.each([
    [true, 0],
    [false, 1],
  ])('that passes %s ends with %i and shows each step', async (passed, expected) => {
    const connection = connectionTo({ ...shop, check: async () => report(passed) });
    const { code, out } = await commandLine(['check', 'shop'], { connection });
    expect(code).toBe(expected);
    expect(out).toMatch(/resolve +passed +2 ms +db is 10\.0\.0\.1/);
    expect(out.includes('hint (connect): Start it.')).toBe(!passed);
  });
});

describe('what is shown', () => {
  it('of all integrations is a table', async () => {
    const service = {
      ...shop,
      status: async () => status('shop', { state: 'succeeded', nextRun: '2026-11-25T00:00:00.000Z' }),
    };
    const { out, code } = await commandLine(['status'], { connection: connectionTo(service) });
    expect(out).toMatch(/INTEGRATION +STATE.*\nshop +succeeded +- +- +never +2026-11-25 00:00:00Z +-\n/);
    expect(code).toBe(0);
  });

  it('of quarantine holds no control characters', async () => {
    const record = quarantined('1', { reason: 'bad\u001b[31mred', record: { a: '\u0007' } });
    const connection = connectionTo({ ...shop, quarantined: async () => [record] });
    const { out } = await commandLine(['quarantine', 'shop'], { connection });
    expect(out).toContain('bad\\u001b[31mred');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('of a removal says what became of the data', async () => {
    const removed: unknown[] = [];
    const connection = connectionTo({ ...shop, remove: async (id, options) => void removed.push([id, options]) });
    expect((await commandLine(['remove', 'shop'], { connection })).out).toContain('its data stays');
    expect((await commandLine(['remove', 'shop', '--data-too'], { connection })).out).toContain('with its data');
    expect(removed).toEqual([
      ['shop', { data: false }],
      ['shop', { data: true }],
    ]);
  });

  it('of an error is JSON for programs', async () => {
    const { code, out, err } = await commandLine(['sync', 'none', '--json'], { connection: connectionTo(shop) });
    expect(JSON.parse(err)).toMatchObject({ error: { kind: 'config', code: 'not_found' } });
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});
