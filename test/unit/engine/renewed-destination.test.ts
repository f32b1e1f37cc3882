import type { Batch, RowBatch } from '../../../lib/core/batch';
import type { Addition, Destination, WriteOptions } from '../../../lib/core/destination';
import { AUTHENTICATION_FAILED, Fault } from '../../../lib/core/fault';
import { Redactor } from '../../../lib/core/secret';
import { renewedDestination } from '../../../lib/engine/renewed-destination';
import { Renewing } from '../../../lib/engine/renewing';
import { SecretAttempts } from '../../../lib/engine/secret-values';
import { MemoryStore, memoryDestination } from '../../memory/destination';
import { silentLog } from '../../memory/scheduler';
import { memorySchema } from '../../memory/source';
import { faultFrom, NEVER } from './home';
import { GuardedServer, RememberedSecrets } from './login';

const SLICE = { integration: 'shop', stream: 'people', partition: '0', load: 'one' };
const OPTIONS: WriteOptions = { fence: 1, run: 'run', signal: NEVER };
const schema = memorySchema('people');
const rows = (id: number): RowBatch => ({
  kind: 'rows',
  schema,
  after: { format: 1, value: id },
  rows: [[id, `text ${id}`, id]],
});

describe('a destination whose password changes', () => {
  let server: GuardedServer;
  let secrets: RememberedSecrets;
  let destination: Destination;
  let opened: number;
  let closed: number;
  /** When the destination logs in: before it takes what is to be written, or after. */
  let late: boolean;

  beforeEach(async () => {
    server = new GuardedServer();
    secrets = new RememberedSecrets();
    secrets.current.set('URL', 'first-password');
    [opened, closed, late] = [0, 0, false];
    const store = new MemoryStore();
    const attempts = new SecretAttempts(['URL'], secrets, new Redactor());
    const open = async (values: ReadonlyMap<string, string | undefined>) => {
      opened++;
      return guarded(
        memoryDestination(store, { integration: 'shop', namespace: 'shop', deletes: 'hard' }, true),
        values.get('URL'),
      );
    };
    destination = await renewedDestination(new Renewing(attempts, open, silentLog));
    await destination.prepare(SLICE, schema);
    await destination.claim(SLICE, 1);
    server.password = 'second-password';
    server.attempts.length = 0;
  });

  function guarded(inner: Destination, password = ''): Destination {
    const { append } = inner;
    if (append === undefined) throw new Error('the destination in memory has append');
    return {
      ...inner,
      claim: async (slice, fence) => {
        server.login(password);
        return inner.claim(slice, fence);
      },
      write: async (batch, slice, options) => {
        if (late && batch.kind === 'bytes') for await (const _ of batch.body) server.login(password);
        server.login(password);
        return inner.write(batch, slice, options);
      },
      append: async (additions: AsyncIterable<Addition>, slice, options) => {
        if (late) for await (const _ of additions) server.login(password);
        server.login(password);
        return append.call(inner, additions, slice, options);
      },
      close: async () => void closed++,
    };
  }

  async function* additions(): AsyncGenerator<Addition> {
    yield { batch: rows(1), rejected: [] };
    yield { batch: rows(2), rejected: [] };
  }
  const bytes = (body: AsyncIterable<Uint8Array>): Batch => ({ ...rows(3), kind: 'bytes', format: 'ndjson', body });
  async function* lines() {
    yield Buffer.from('[3,"text 3",3]\n');
  }
  const append = () => destination.append?.(additions(), SLICE, OPTIONS);

  it('is opened anew with the new one, and written to as if nothing had been', async () => {
    secrets.current.set('URL', 'second-password');
    expect(await append()).toMatchObject({ rows: 2 });
    expect(await destination.write(bytes(lines()), SLICE, OPTIONS)).toMatchObject({ rows: 1 });
    expect(await destination.claim(SLICE, 2)).toEqual({ format: 1, value: 3 });
    expect(server.attempts.slice(0, 2)).toEqual(['first-password', 'second-password']);
    await destination.close();
    expect([opened, closed]).toEqual([2, 2]);
  });

  it.each([
    ['a group of batches', () => append()],
    ['bytes', () => destination.write(bytes(lines()), SLICE, OPTIONS)],
  ])('is not given %s again of which it has taken a part: that is read again', async (_what, write) => {
    late = true;
    secrets.current.set('URL', 'second-password');
    expect(await faultFrom(write() as Promise<unknown>)).toMatchObject({ kind: 'transient', code: 'secrets_renewed' });
    late = false;
    expect(await append()).toMatchObject({ rows: 2 });
  });

  it('is not asked again when no other value is known', async () => {
    const first = await faultFrom(append() as Promise<unknown>);
    expect(first).toMatchObject({ kind: 'config', code: AUTHENTICATION_FAILED });
    expect(await faultFrom(destination.claim(SLICE, 2))).toBe(first);
    expect(server.attempts).toEqual(['first-password']);
    expect(secrets.refreshes).toBe(1);
  });

  it('is not taken for refused when the source that it reads from is', async () => {
    server.password = 'first-password';
    secrets.current.set('URL', 'one that would be tried');
    const refused = new Fault('config', AUTHENTICATION_FAILED, 'reading: refused');
    const source = new Renewing(new SecretAttempts([], secrets, new Redactor()), async () => destination, silentLog);
    const final = await faultFrom(source.use(() => Promise.reject(refused)));
    expect(final).toBe(refused);
    async function* failing(): AsyncGenerator<Addition> {
      yield { batch: rows(1), rejected: [] };
      throw final;
    }
    expect(await faultFrom(destination.append?.(failing(), SLICE, OPTIONS) as Promise<unknown>)).toBe(refused);
    expect(opened).toBe(1);
  });
});
