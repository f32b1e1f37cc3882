import type { Secrets } from '../../../lib/core/ports';
import { document, faultFrom, Home, NEVER, syncAll } from './home';
import { GuardedServer, guardedConnector, plainSecrets, RememberedSecrets } from './login';

const DOCUMENT = document({ connection: { password: '${PASSWORD}' } });

class Guarded {
  readonly server = new GuardedServer();
  readonly remembered = new RememberedSecrets();
  readonly home: Home;
  readonly engine;

  constructor({ eager = false, secrets }: { readonly eager?: boolean; readonly secrets?: Secrets } = {}) {
    this.home = new Home(secrets ?? this.remembered);
    this.remembered.current.set('PASSWORD', 'first-password');
    this.engine = this.home.engine({}, () => guardedConnector(this.home.connector(), this.server, eager));
  }

  async create(more: Record<string, unknown> = {}) {
    this.home.fill('people', 5);
    await this.engine.service.create({ ...DOCUMENT, ...more });
  }

  /** The server ends all connections, and lets nobody in with the old password. */
  rotate(password: string) {
    this.server.password = password;
    this.server.generation++;
  }
}

describe.each([
  ['when it is first used', false],
  ['when it is opened', true],
])('a source that logs in %s', (_when, eager) => {
  it('takes the new value of a secret that was changed between two runs', async () => {
    const world = new Guarded({ eager });
    await world.create();
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded', rows: 5 });
    world.rotate('second-password');
    world.remembered.current.set('PASSWORD', 'second-password');
    world.home.fill('people', 2, 6);
    world.server.attempts.length = 0;
    const run = await syncAll(world.home, world.engine, { type: 'full' });
    expect(run).toMatchObject({ state: 'succeeded', retries: 0 });
    expect(world.home.visible('people')).toBe(7);
    expect(world.server.attempts).toEqual(['first-password', 'second-password']);
  });

  it('takes the value that a rotation is about to make current, while the current one is refused', async () => {
    const world = new Guarded({ eager });
    await world.create();
    world.rotate('next-password');
    world.remembered.next.set('PASSWORD', 'next-password');
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded', rows: 5 });
    expect(world.server.attempts).toEqual(['first-password', 'next-password']);
  });

  it.each([
    ['no other value', {}, ['first-password']],
    ['another value that is wrong', { current: 'second-wrong' }, ['first-password', 'second-wrong']],
    [
      'two others that are wrong',
      { current: 'second-wrong', next: 'third-wrong' },
      ['first-password', 'second-wrong', 'third-wrong'],
    ],
    ['a pending value that is the current one', { next: 'first-password' }, ['first-password']],
  ])('is given up once, with the fault of the server, when there is %s', async (_what, values, attempts) => {
    const world = new Guarded({ eager });
    await world.create();
    await world.remembered.get('PASSWORD');
    world.home.fill('orders', 5);
    world.rotate('nobody-knows');
    const { current, next } = values as { readonly current?: string; readonly next?: string };
    if (current !== undefined) world.remembered.current.set('PASSWORD', current);
    if (next !== undefined) world.remembered.next.set('PASSWORD', next);
    const run = await syncAll(world.home, world.engine);
    expect(run).toMatchObject({ state: 'failed', retries: 0 });
    expect(run.fault).toMatchObject({ kind: 'config', code: 'authentication_failed', hint: 'Check the password.' });
    expect(world.server.attempts).toEqual(attempts);
    for (const value of attempts) expect(world.home.redactor.redact(value)).toBe('[secret]');
  });
});

describe('a secret that is changed while a run goes on', () => {
  async function rotatedAtBatch(number: number, then: (world: Guarded) => void) {
    const world = new Guarded();
    await world.create();
    world.home.fill('orders', 5);
    let batches = 0;
    world.home.hooks.scan = () => {
      if (++batches === number) {
        world.rotate('second-password');
        then(world);
      }
    };
    return { world, run: await syncAll(world.home, world.engine) };
  }

  it.each([1, 2, 3, 5, 6])('is taken up at batch %i, and nothing is missing or twice', async (number) => {
    const { world, run } = await rotatedAtBatch(number, ({ remembered }) =>
      remembered.current.set('PASSWORD', 'second-password'),
    );
    expect(run).toMatchObject({ state: 'succeeded' });
    expect([world.home.visible('people'), world.home.visible('orders')]).toEqual([5, 5]);
    expect(world.server.attempts).toEqual(['first-password', 'first-password', 'second-password'].slice(-3));
    expect(world.home.opened).toBe(2);
    expect(world.home.closed).toBe(2);
  });

  it('ends all streams with one fault and one more attempt when no other value is known', async () => {
    const { world, run } = await rotatedAtBatch(2, () => undefined);
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.streams.map(({ fault }) => fault?.code)).toEqual(['authentication_failed', 'authentication_failed']);
    expect(world.server.attempts).toEqual(['first-password', 'first-password']);
  });

  it('may be changed again and again in one run', async () => {
    const world = new Guarded();
    await world.create({ sync_strategy: { type: 'incremental', timestamp_field: 'changed' } });
    let [batches, changes] = [0, 0];
    world.home.hooks.scan = () => {
      if (++batches % 2 === 1) return;
      world.rotate(`password ${++changes}`);
      world.remembered.current.set('PASSWORD', `password ${changes}`);
    };
    world.home.fill('people', 8, 6);
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded' });
    expect(world.home.visible('people')).toBe(13);
    expect(changes).toBeGreaterThan(4);
  });
});

describe('secrets that cannot be read', () => {
  it('let the run go on later when only the reading of the new value failed', async () => {
    const world = new Guarded();
    await world.create();
    await world.remembered.get('PASSWORD');
    world.rotate('second-password');
    world.remembered.current.set('PASSWORD', 'second-password');
    world.remembered.failNext = 1;
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded', retries: 1 });
    expect(world.server.attempts).toEqual(['first-password', 'second-password']);
  });

  it('are not asked anew where nothing is remembered', async () => {
    const values = new Map([['PASSWORD', 'first-password']]);
    const world = new Guarded({ secrets: plainSecrets(values) });
    await world.create();
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded' });
    world.rotate('second-password');
    const refused = await syncAll(world.home, world.engine);
    expect(refused.fault).toMatchObject({ code: 'authentication_failed' });
    values.set('PASSWORD', 'second-password');
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded' });
  });
});

describe('a test of the connection', () => {
  it.each([
    ['current', (world: Guarded) => world.remembered.current],
    ['pending', (world: Guarded) => world.remembered.next],
  ])('passes with the %s value when the remembered one is refused', async (_which, valuesOf) => {
    const world = new Guarded();
    await world.create();
    await world.remembered.get('PASSWORD');
    world.rotate('second-password');
    valuesOf(world).set('PASSWORD', 'second-password');
    expect(await world.engine.service.check('shop', NEVER)).toMatchObject({ passed: true });
    expect(await world.engine.service.discover('shop', NEVER)).toHaveLength(1);
    expect(world.home.closed).toBe(world.home.opened);
  });

  it('shows how the first login failed when all are refused', async () => {
    const world = new Guarded();
    await world.create();
    await world.remembered.get('PASSWORD');
    world.rotate('nobody-knows');
    world.remembered.current.set('PASSWORD', 'second-wrong');
    const report = await world.engine.service.check('shop', NEVER);
    expect(report).toMatchObject({ passed: false, steps: [{ name: 'authenticate', detail: 'refused number 1' }] });
    expect(world.server.attempts).toEqual(['first-password', 'second-wrong']);
    const fault = await faultFrom(world.engine.service.discover('shop', NEVER));
    expect(fault).toMatchObject({ code: 'authentication_failed', message: 'password authentication failed' });
  });
});
