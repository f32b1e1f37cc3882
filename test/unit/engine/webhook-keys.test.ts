import type { IntegrationDocument } from '../../../lib/core/integration';
import type { CredentialStores, Secrets } from '../../../lib/core/ports';
import { Redactor, Secret } from '../../../lib/core/secret';
import { WebhookKeys } from '../../../lib/engine/webhook-keys';
import { recordingLogger } from '../../contracts/recording-logger';
import { ManualClock } from '../../memory/clock';
import { document, faultFrom, faultOf, NEVER, syncAll } from './home';
import { RememberedSecrets } from './login';
import { section, WebhookHome } from './webhook-home';

const OLD = 'the-older-key';
const NEW = 'the-newer-key';
const MANY = 100;

/** The keys over secrets that are remembered, as those of Secrets Manager are, and how often was asked for one. */
class World {
  readonly clock = new ManualClock();
  readonly remembered = new RememberedSecrets();
  readonly redactor = new Redactor();
  readonly recorded = recordingLogger();
  readonly webhookKeys: WebhookKeys;
  asked = 0;

  constructor(credentialStores?: CredentialStores) {
    const { remembered, clock, redactor } = this;
    const secrets: Secrets = {
      get: async (name) => {
        this.asked++;
        return remembered.get(name);
      },
      refresh: (name) => remembered.refresh(name),
    };
    const { log } = this.recorded;
    this.webhookKeys = new WebhookKeys({
      secrets,
      clock,
      redactor,
      log,
      ...(credentialStores && { credentialStores }),
    });
  }

  isKey(key: string, secret = '${HOOK}', more: Record<string, unknown> = {}): Promise<boolean> {
    const given = document({ ...section({}, '/webhooks/x', secret), ...more }) as IntegrationDocument;
    return this.webhookKeys.isKeyOf(given, (own) => own === key);
  }
}

describe('the key of a webhook', () => {
  it('is a reference, a text, or both', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', NEW);
    expect(await world.isKey(NEW)).toBe(true);
    expect(await world.isKey('in the document', 'in the document')).toBe(true);
    expect(await world.isKey(`a-${NEW}-b`, 'a-${HOOK}-b')).toBe(true);
    expect(await world.isKey('${HOOK}', '$${HOOK}')).toBe(true);
  });

  it('is taken out of what is told from then on', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', NEW);
    await world.isKey('wrong', 'a-${HOOK}-b');
    expect(world.redactor.redact(`${NEW} a-${NEW}-b`)).toBe('[secret] [secret]');
  });

  it('comes from the credential store of the document', async () => {
    const opened: string[] = [];
    const world = new World({
      check: () => [],
      open(store) {
        opened.push(store.file_path);
        return { get: async () => new Secret('in-the-file') };
      },
    });
    const store = { type: 'encrypted_file', encryption_key: '${KEY}', file_path: '/a.enc' };
    expect(await world.isKey('in-the-file', '${HOOK}', { credential_store: store })).toBe(true);
    expect(opened).toEqual(['/a.enc']);
  });

  it('that was changed counts at once, and the older one does not any more', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', OLD);
    expect(await world.isKey(OLD)).toBe(true);
    world.remembered.current.set('HOOK', NEW);
    expect(await world.isKey(NEW)).toBe(true);
    expect(await world.isKey(OLD)).toBe(false);
  });

  it('that was changed counts for all calls that come at the same time', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', OLD);
    expect(await world.isKey(OLD)).toBe(true);
    world.remembered.current.set('HOOK', NEW);
    const answers = await Promise.all(Array.from({ length: MANY }, () => world.isKey(NEW)));
    expect(answers).toEqual(answers.map(() => true));
    expect(world.remembered.refreshes).toBe(1);
  });

  it('is not asked for again with every wrong call', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', OLD);
    for (let count = 0; count < MANY; count++) expect(await world.isKey('wrong')).toBe(false);
    expect(world.remembered.refreshes).toBe(1);
    await world.clock.advance(10_000);
    await Promise.all(Array.from({ length: MANY }, () => world.isKey('wrong')));
    expect(world.remembered.refreshes).toBe(2);
    // Somebody who goes on with it keeps no newer key away for longer than that.
    world.remembered.current.set('HOOK', NEW);
    expect(await world.isKey(NEW)).toBe(false);
    await world.clock.advance(10_000);
    expect(await world.isKey(NEW)).toBe(true);
  });

  it('that is not there is not asked for with every call, and is told to the owner alone', async () => {
    const world = new World();
    for (let count = 0; count < MANY; count++) expect(await world.isKey('')).toBe(false);
    expect(world.asked).toBe(1);
    expect(world.recorded.lines).toEqual([
      {
        level: 'warn',
        message: expect.stringContaining('webhook'),
        fields: { integration: 'shop', reason: expect.stringContaining('HOOK is not set') },
      },
    ]);
    world.remembered.current.set('HOOK', NEW);
    await world.clock.advance(10_000);
    expect(await world.isKey(NEW)).toBe(true);
  });

  it('that is empty is no key', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', '');
    expect(await world.isKey('')).toBe(false);
    expect(world.recorded.lines).toMatchObject([{ fields: { reason: 'it is empty' } }]);
  });

  it('that cannot be read for the moment is asked for again', async () => {
    const world = new World();
    world.remembered.current.set('HOOK', OLD);
    world.remembered.failNext = 1;
    expect((await faultFrom(world.isKey(OLD))).kind).toBe('transient');
    expect(await world.isKey(OLD)).toBe(true);
    world.remembered.current.set('HOOK', NEW);
    world.remembered.failNext = 1;
    expect((await faultFrom(world.isKey(NEW))).kind).toBe('transient');
    expect(await world.isKey(NEW)).toBe(true);
  });
});

describe('the secret of a webhook', () => {
  it('is not needed by what connects to the source', async () => {
    const world = new WebhookHome();
    await world.make(section({}, '/webhooks/x', '${NOT_SET}'));
    expect(await syncAll(world.home, world.engine)).toMatchObject({ state: 'succeeded' });
    expect(await world.engine.service.check('shop', NEVER)).toMatchObject({ passed: true });
  });

  it('is one of the credentials that are watched', async () => {
    const world = new WebhookHome();
    await world.make();
    expect(await world.engine.service.credentials()).toMatchObject([{ name: 'HOOK', usedBy: ['shop'], state: 'ok' }]);
  });

  it('is never shown, and kept when its mask is sent back', async () => {
    const world = new WebhookHome();
    const { document: shown } = await world.make(section({}, '/webhooks/data-update', 'key-of-the-webhook'));
    expect(JSON.stringify(shown)).not.toContain('key-of-the-webhook');
    await world.engine.service.update('shop', shown, undefined);
    expect(await world.call()).toMatchObject({ integration: 'shop' });
  });

  it('does not hold a call up when it cannot be read for the moment: it is to come again', async () => {
    const world = new WebhookHome();
    await world.make();
    world.home.secrets.get = () => Promise.reject(faultOf('transient'));
    expect(await faultFrom(world.call())).toMatchObject({ kind: 'transient' });
    expect(await world.runs()).toEqual([]);
  });
});
