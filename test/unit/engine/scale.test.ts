import { document, faultOf, finish, Home, MANUAL, NEVER } from './home';

/** Runs one sync of so many streams; gives the calls of the state, and the items it listed, per stream. */
async function cost(streams: number, prepare: (home: Home) => void = () => undefined) {
  const home = new Home();
  for (let stream = 0; stream < streams; stream++) home.fill(`s${String(stream).padStart(4, '0')}`, 1);
  const engine = home.engine();
  await engine.service.create(document());
  const { id } = await engine.service.sync('shop', MANUAL);
  prepare(home);
  const { calls, listed } = home.state;
  const run = await finish(home, engine, id);
  return {
    run,
    calls: (home.state.calls - calls) / streams,
    listed: (home.state.listed - listed) / streams,
    tables: home.store.tables.size,
  };
}

describe('a run over many streams', () => {
  it('costs as many calls of the state per stream with 2,000 streams as with 100', async () => {
    const few = await cost(100);
    const many = await cost(2000);
    expect(many.run).toMatchObject({ state: 'succeeded', rows: 2000, slices: 2000 });
    expect(many.tables).toBe(2000);
    expect(many.calls).toBeLessThan(40);
    expect(many.calls).toBeLessThan(few.calls * 1.2);
    expect(many.listed).toBeLessThan(few.listed * 2);
  });

  it('costs no more per stream when the source goes away for a moment', async () => {
    const outage = (home: Home) => {
      const begun = home.clock.now();
      home.hooks.scan = () => {
        if (home.clock.now() === begun) throw faultOf('transient', 'connection_lost');
      };
    };
    const few = await cost(30, outage);
    const many = await cost(150, outage);
    expect(many.run).toMatchObject({ state: 'succeeded', rows: 150 });
    expect(many.calls).toBeLessThan(few.calls * 2);
  });

  it('is cancelled with few calls per stream', async () => {
    const home = new Home();
    for (let stream = 0; stream < 500; stream++) home.fill(`s${String(stream).padStart(4, '0')}`, 1);
    const engine = home.engine();
    await engine.service.create(document());
    const { id } = await engine.service.sync('shop', MANUAL);
    home.hooks.scan = async () => void (await engine.service.cancel(id));
    await engine.step(0, NEVER);
    const { calls } = home.state;
    expect(await finish(home, engine, id)).toMatchObject({ state: 'cancelled' });
    expect((home.state.calls - calls) / 500).toBeLessThan(6);
  });
});
