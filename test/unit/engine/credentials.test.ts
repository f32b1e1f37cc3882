import type { Notification } from '../../../lib/core/notification';
import type { CredentialStore, SecretOrigin } from '../../../lib/core/ports';
import { Secret } from '../../../lib/core/secret';
import type { Engine } from '../../../lib/engine/engine';
import { MemorySecrets } from '../../memory/secrets';
import { document, faultFrom, Home, NEVER } from './home';

const DAY = 86_400_000;
const POLICY = { enabled: true, interval: '90d', notification: true };

/** A store that knows when its values were changed. */
class AgedSecrets extends MemorySecrets {
  readonly changed = new Map<string, number>();

  async about(name: string): Promise<SecretOrigin | undefined> {
    if (!this.values.has(name)) return undefined;
    const changedAt = this.changed.get(name);
    return changedAt === undefined ? { store: 'environment' } : { store: 'encrypted_file', changedAt };
  }
}

class World {
  readonly secrets = new AgedSecrets({ PASSWORD: 'first-password' });
  readonly home = new Home(this.secrets);
  readonly told: Notification[] = [];
  readonly engine: Engine;

  constructor() {
    this.home.notify = async (notification) => void this.told.push(notification);
    this.engine = this.home.engine();
  }

  async create(name: string, more: Record<string, unknown> = {}) {
    await this.engine.service.create(document({ name, description: '${PASSWORD}', ...more }));
  }

  credentials = () => this.engine.service.credentials();

  async pass(days: number) {
    await this.home.clock.jump(days * DAY);
    await this.engine.checkCredentials();
  }
}

describe('the credentials of integrations', () => {
  it('are listed with their place, users and age, and without their values', async () => {
    const world = new World();
    world.secrets.changed.set('PASSWORD', world.home.clock.now() - 10 * DAY);
    await world.create('shop');
    await world.create('crm');
    expect(await world.credentials()).toEqual([
      {
        name: 'PASSWORD',
        store: 'encrypted_file',
        usedBy: ['crm', 'shop'],
        changedAt: new Date(world.home.clock.now() - 10 * DAY).toISOString(),
        ageSeconds: 864_000,
        state: 'ok',
      },
    ]);
  });

  it('are due by the strictest policy of those that use them', async () => {
    const world = new World();
    world.secrets.changed.set('PASSWORD', world.home.clock.now());
    await world.create('shop', { rotation_policy: POLICY });
    await world.create('crm', { rotation_policy: { enabled: true, interval: '30d' } });
    await world.create('old', { rotation_policy: { enabled: false, interval: '1d' } });
    const due = new Date(world.home.clock.now() + 30 * DAY).toISOString();
    expect(await world.credentials()).toMatchObject([{ dueAt: due, state: 'ok' }]);
    await world.home.clock.jump(16 * DAY);
    expect(await world.credentials()).toMatchObject([{ dueAt: due, state: 'due_soon' }]);
    await world.home.clock.jump(14 * DAY);
    expect(await world.credentials()).toMatchObject([{ dueAt: due, state: 'overdue' }]);
  });

  it('of the environment are as old as their value is known', async () => {
    const world = new World();
    await world.create('shop', { rotation_policy: POLICY });
    expect(await world.credentials()).toMatchObject([{ store: 'environment', ageSeconds: 0 }]);
    await world.home.clock.jump(5 * DAY);
    expect(await world.credentials()).toMatchObject([{ ageSeconds: 5 * 86_400 }]);
    world.secrets.values.set('PASSWORD', 'second-password');
    expect(await world.credentials()).toMatchObject([{ ageSeconds: 0 }]);
    const stored = JSON.stringify(await world.home.state.query('credentials'));
    expect(stored).not.toMatch(/first-password|second-password/);
  });

  it('are missing, or cannot be looked at, each for itself', async () => {
    const world = new World();
    world.secrets.values.delete('PASSWORD');
    world.secrets.values.set('OTHER', 'x');
    const about = world.secrets.about.bind(world.secrets);
    world.secrets.about = async (name) => {
      if (name === 'OTHER') throw new Error('the store is down');
      return about(name);
    };
    await world.create('shop', { description: '${PASSWORD} ${OTHER}' });
    expect(await world.credentials()).toMatchObject([
      { name: 'OTHER', state: 'unknown', fault: { message: expect.stringContaining('the store is down') } },
      { name: 'PASSWORD', state: 'missing' },
    ]);
  });

  it('are warned of in the status and the plan once they are due', async () => {
    const world = new World();
    await world.create('shop', { rotation_policy: POLICY });
    await world.credentials();
    expect((await world.engine.service.status('shop')).warnings).toEqual([]);
    await world.home.clock.jump(100 * DAY);
    const warning =
      '${PASSWORD} is 100 days old; rotation_policy wants it changed every 90 days: it was due on 2026-04-01';
    expect((await world.engine.service.status('shop')).warnings).toEqual([warning]);
    expect((await world.engine.service.plan('shop', NEVER)).warnings).toContain(warning);
  });
});

describe('notices of credentials', () => {
  it('are sent once before, once when due and weekly from then on, and no more once it is changed', async () => {
    const world = new World();
    await world.create('shop', { rotation_policy: POLICY });
    await world.pass(0);
    await world.pass(75);
    expect(world.told).toEqual([]);
    await world.pass(1);
    await world.pass(1);
    expect(world.told).toMatchObject([
      {
        kind: 'credential',
        severity: 'info',
        integration: 'shop',
        title: 'Change PASSWORD by 2026-04-01',
        text: expect.stringContaining('.env'),
        facts: { credential: 'PASSWORD', used_by: ['shop'], store: 'environment' },
      },
    ]);
    await world.pass(13);
    for (let day = 0; day < 13; day++) await world.pass(1);
    expect(world.told.map(({ severity }) => severity)).toEqual(['info', 'warning', 'warning']);
    world.secrets.values.set('PASSWORD', 'second-password');
    await world.pass(7);
    expect(world.told).toHaveLength(3);
    expect(new Set(world.told.map(({ id }) => id)).size).toBe(3);
    expect(JSON.stringify(world.told)).not.toMatch(/first-password|second-password/);
  });

  it.each([
    ['without a policy', {}],
    ['with a policy that is off', { rotation_policy: { ...POLICY, enabled: false } }],
    ['with a policy that wants none', { rotation_policy: { ...POLICY, notification: false } }],
  ])('are not sent %s', async (_what, more) => {
    const world = new World();
    await world.create('shop', more);
    await world.pass(0);
    await world.pass(200);
    expect(world.told).toEqual([]);
  });

  it('come again when the sending failed', async () => {
    const world = new World();
    await world.create('shop', { rotation_policy: POLICY });
    await world.pass(0);
    let works = false;
    const { told } = world;
    world.home.notify = async (notification) => {
      if (!works) throw new Error('nobody there');
      told.push(notification);
    };
    const engine = world.home.engine();
    await world.home.clock.jump(100 * DAY);
    await expect(engine.checkCredentials()).rejects.toThrow('nobody there');
    works = true;
    await engine.checkCredentials();
    expect(told).toHaveLength(1);
  });

  it('are looked for as seldom as they are asked to be', async () => {
    const world = new World();
    await world.create('shop', { rotation_policy: POLICY });
    await world.engine.checkCredentials(DAY);
    await world.home.clock.jump(89 * DAY);
    await world.engine.checkCredentials(DAY);
    await world.home.clock.jump(DAY - 1);
    await world.engine.checkCredentials(DAY);
    expect(world.told).toHaveLength(1);
    await world.home.clock.jump(1);
    await world.engine.checkCredentials(DAY);
    expect(world.told).toHaveLength(2);
  });

  it('forget what nobody refers to any more', async () => {
    const world = new World();
    await world.create('shop', { rotation_policy: POLICY });
    await world.pass(0);
    await world.pass(100);
    await world.engine.service.remove('shop', { data: false });
    await world.pass(1);
    const left = (await world.home.state.query('credentials')).map(({ sort }) => sort);
    expect(left).toEqual(['checked', 'key']);
  });
});

describe('a file of credentials that a document names', () => {
  const store: CredentialStore = { type: 'encrypted_file', encryption_key: '${ENCRYPTION_KEY}', file_path: 'c.enc' };

  it('is where its references are looked for; the key is not', async () => {
    const asked: string[] = [];
    const home = new Home(new MemorySecrets({ PASSWORD: 'of the home' }));
    home.credentialStores = {
      check: () => [],
      open: () => ({
        get: async (name) => {
          asked.push(name);
          return name === 'PASSWORD' ? new Secret('of the file') : undefined;
        },
      }),
    };
    const engine = home.engine();
    await engine.service.create(document({ description: '${PASSWORD}', credential_store: store }));
    await engine.service.discover('shop', NEVER);
    expect(asked).toEqual(['PASSWORD']);
    expect(home.redactor.redact('of the file')).toBe('[secret]');
    expect(home.redactor.redact('of the home')).toBe('of the home');
  });

  it('is refused where none is read, also of a document that came from another home', async () => {
    const home = new Home(new MemorySecrets({ PASSWORD: 'of the home' }));
    const engine = home.engine();
    const given = document({ description: '${PASSWORD}', credential_store: store });
    expect((await faultFrom(engine.service.create(given))).issues).toEqual([
      { path: 'credential_store', message: expect.stringContaining('Secrets Manager') },
    ]);
    await home.state.put({ partition: 'integrations', sort: 'shop' }, { document: given as never }, undefined);
    expect(await faultFrom(engine.service.discover('shop', NEVER))).toMatchObject({ code: 'no_credential_stores' });
  });

  it('does not show a key that is written into the document', async () => {
    const home = new Home();
    home.credentialStores = { check: () => [], open: () => home.secrets };
    const { service } = home.engine();
    const written = { ...store, encryption_key: 'written-into-the-document' };
    const { document: shown } = await service.create(document({ credential_store: written }));
    expect(shown.credential_store).toEqual({ ...store, encryption_key: '[secret]' });
    const { document: kept } = await service.update('shop', shown, undefined);
    expect(kept.credential_store).toEqual({ ...store, encryption_key: '[secret]' });
  });
});
