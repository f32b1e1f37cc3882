import { createHmac } from 'node:crypto';
import type { WebhookCall } from '../../../lib/core/service';
import { signWebhook } from '../../../lib/core/webhook-signature';
import { keys } from '../../../lib/engine/state';
import { document, faultFrom, faultOf, finish, MANUAL, syncAll } from './home';
import { BODY, KEY, type Members, PATH, section, WebhookHome } from './webhook-home';

let world: WebhookHome;

beforeEach(() => {
  world = new WebhookHome();
});

describe('a call of a webhook', () => {
  it('syncs the integration at once, in the mode of its document', async () => {
    await world.make();
    await syncAll(world.home, world.engine);
    world.home.fill('orders', 1, 4);
    const begun = await world.call();
    expect(begun).toEqual({ integration: 'shop', run: expect.any(String), state: 'queued', joined: false });
    const run = await finish(world.home, world.engine, begun.run);
    expect(run).toMatchObject({ state: 'succeeded', trigger: 'webhook' });
    expect(world.home.visible('orders')).toBe(4);
    expect(run.streams[0]).toMatchObject({ mode: 'incremental' });
    expect(run.requested).toBeUndefined();
  });

  it('is right by the signature of others, too, with any body', async () => {
    await world.make();
    for (const body of [new Uint8Array(), BODY]) {
      const hubSignature = `sha256=${createHmac('sha256', KEY).update(body).digest('hex')}`;
      expect(await world.engine.service.webhook({ path: PATH, body, hubSignature })).toHaveLength(1);
    }
  });

  it('syncs every integration with that path whose secret has made the signature', async () => {
    for (const name of ['one', 'two']) await world.make({}, name);
    await world.make(section({}, PATH, '${OTHER}'), 'other');
    await world.make(section({}, '/webhooks/elsewhere'), 'elsewhere');
    await world.engine.service.create(document({ name: 'none' }));
    const begun = await world.engine.service.webhook(world.signed());
    expect(begun.map(({ integration }) => integration)).toEqual(['one', 'two']);
    expect(await world.engine.service.webhook(world.signed({}, 'another-key'))).toMatchObject([
      { integration: 'other' },
    ]);
    for (const name of ['elsewhere', 'none']) expect(await world.runs(name)).toEqual([]);
  });

  it('of a path that none has is not found', async () => {
    await world.make();
    for (const path of ['/webhooks/data', `${PATH}/`, '/webhooks/DATA-UPDATE', '']) {
      expect(await faultFrom(world.call({ path }))).toMatchObject({ kind: 'config', code: 'not_found' });
    }
  });

  const wrong: [string, () => Partial<WebhookCall>][] = [
    ['by another key', () => ({ signature: signWebhook(BODY, 'another-key', world.home.clock.now()) })],
    ['of another body', () => ({ body: Buffer.from([0, 255, 124]) })],
    ['too old', () => ({ signature: signWebhook(BODY, KEY, world.home.clock.now() - 301_000) })],
    ['malformed', () => ({ signature: 'sha256=00' })],
  ];
  it.each(wrong)('with a signature that is %s starts nothing, and is told what is expected', async (_what, change) => {
    await world.make();
    const fault = await faultFrom(world.call(change()));
    expect(fault).toMatchObject({ kind: 'config', code: 'signature_invalid' });
    expect(fault.message).toMatch(/x-explorerio-signature .* x-hub-signature-256/);
    expect(fault.message + fault.hint).not.toMatch(/shop|HOOK|old|wrong/);
    expect(await world.runs()).toEqual([]);
  });

  it('without a signature starts nothing, and no secret is read for it', async () => {
    await world.make();
    let asked = 0;
    world.home.secrets.get = async () => {
      asked++;
      return undefined;
    };
    expect((await faultFrom(world.engine.service.webhook({ path: PATH, body: BODY }))).code).toBe('signature_invalid');
    expect(asked).toBe(0);
  });

  it('is refused while the integration is paused, unless another one takes it', async () => {
    await world.make({ enabled: false });
    expect(await faultFrom(world.call())).toMatchObject({
      code: 'integration_disabled',
      message: expect.stringMatching(/shop/),
    });
    expect((await faultFrom(world.call({ signature: '' }))).code).toBe('signature_invalid');
    await world.make({}, 'other');
    expect(await world.engine.service.webhook(world.signed())).toMatchObject([{ integration: 'other' }]);
    expect(await world.runs()).toEqual([]);
  });

  it('starts what it can where one integration cannot be synced any more', async () => {
    await world.make({}, 'broken');
    await world.make();
    const stored = await world.home.state.get(keys.integration('broken'));
    const item = (stored?.value ?? {}) as Members;
    const wrong = { ...item, document: { ...(item.document as Members), colour: 'red' } };
    await world.home.state.put(keys.integration('broken'), wrong, undefined);
    expect(await world.engine.service.webhook(world.signed())).toMatchObject([{ integration: 'shop' }]);
    await world.engine.service.remove('shop', { data: false }).catch(() => world.stepAll());
    await world.engine.service.remove('shop', { data: false });
    expect((await faultFrom(world.engine.service.webhook(world.signed()))).code).toBe('invalid_config');
  });

  it('fails as a whole when one integration cannot be synced for the moment, so that it comes again', async () => {
    await world.make({}, 'first');
    await world.make({}, 'second');
    world.home.state.beforePut = ({ partition }) => {
      if (partition === 'runs/second') throw faultOf('transient');
    };
    expect((await faultFrom(world.engine.service.webhook(world.signed()))).kind).toBe('transient');
    world.home.state.beforePut = () => undefined;
    const again = await world.engine.service.webhook(world.signed());
    expect(again.map(({ integration }) => integration)).toEqual(['first', 'second']);
  });
});

describe('calls with an idempotency key', () => {
  const idempotencyKey = 'delivery-7';

  it('start one run, before, while and after it runs', async () => {
    await world.make();
    const [first, again] = await Promise.all([world.call({ idempotencyKey }), world.call({ idempotencyKey })]);
    expect(again.run).toBe(first.run);
    await finish(world.home, world.engine, first.run);
    expect(await world.call({ idempotencyKey })).toEqual({ ...first, state: 'succeeded', joined: true });
    expect(await world.runs()).toHaveLength(1);
    expect((await world.call({ idempotencyKey: 'delivery-8' }))?.run).not.toBe(first.run);
  });

  it('get the run that they joined', async () => {
    await world.make();
    const { end } = await world.reading();
    const waiting = await world.call();
    expect(await world.call({ idempotencyKey })).toMatchObject({ run: waiting.run, joined: true });
    await end();
    await world.stepAll();
    expect(await world.call({ idempotencyKey })).toMatchObject({ run: waiting.run, state: 'succeeded' });
    expect(await world.runs()).toHaveLength(2);
  });

  it('are no keys of syncs that somebody asks for', async () => {
    await world.make();
    const { id } = await world.engine.service.sync('shop', { ...MANUAL, idempotencyKey });
    expect((await world.call({ idempotencyKey }))?.run).not.toBe(id);
  });

  it('are forgotten after a day, as all that calls leave behind', async () => {
    await world.make();
    const first = await world.call({ idempotencyKey });
    await world.stepAll();
    await world.home.clock.advance(24 * 3600 * 1000);
    expect((await world.call({ idempotencyKey }))?.run).not.toBe(first.run);
    expect(world.home.state.everlasting().filter((address) => address.startsWith('idempotency'))).toEqual([]);
  });
});
