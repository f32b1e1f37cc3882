import { Home, NEVER } from './home';

const PLAIN = { name: 'shop', type: 'memory', connection: {} };
const BY_VPN = { ...PLAIN, network_security: { use_vpn: true, vpn_endpoint: 'vpn.company.com' } };
const OUTSIDE = { types: [], inside: false };
const REFUSED = {
  code: 'invalid_config',
  issues: [{ path: 'network_security.use_vpn', message: expect.stringMatching(/not behind a VPN.*integrations\//) }],
};

let home: Home;
beforeEach(() => {
  home = new Home();
  home.fill('orders', 3);
});

describe('on a machine of its own', () => {
  it('warns that the way is that of the machine, and syncs', async () => {
    const { service } = home.engine();
    expect((await service.create(BY_VPN)).warnings).toEqual([expect.stringContaining('that of this machine')]);
    expect(await service.validate(BY_VPN)).toEqual([expect.stringContaining('that of this machine')]);
    expect(await service.validate(PLAIN)).toEqual([]);
    await expect(service.discover('shop', NEVER)).resolves.toHaveLength(1);
  });

  it('warns of an endpoint that nothing uses', async () => {
    const document = { ...PLAIN, network_security: { vpn_endpoint: 'vpn.company.com' } };
    expect(await home.engine().service.validate(document)).toEqual([expect.stringContaining('without use_vpn')]);
  });

  it('tells in a connection test whether the endpoint is known here', async () => {
    home.resolveHost = async () => '198.51.100.7';
    const known = await home.engine().service.check(BY_VPN, NEVER);
    expect(known.steps[0]).toMatchObject({ name: 'vpn', state: 'passed' });
    expect(known.steps[0]?.detail).toContain('vpn.company.com is 198.51.100.7');
    home.resolveHost = async () => Promise.reject(new Error('ENOTFOUND'));
    const unknown = await home.engine().service.check(BY_VPN, NEVER);
    expect(unknown).toMatchObject({ passed: true, steps: [{ name: 'vpn', state: 'warning' }] });
    expect(unknown.steps[0]?.hint).toContain('Connect the VPN');
  });

  it.each<[string, { readonly [address: string]: string }, string, RegExp]>([
    [
      'a tunnel',
      { '198.51.100.7': 'eth0', '10.0.0.1': 'tun0' },
      'passed',
      /10\.0\.0\.0\/8 is reached from .* by tun0$/,
    ],
    ['no tunnel', { '198.51.100.7': 'eth0', '10.0.0.1': 'eth0' }, 'warning', /by eth0, as vpn_endpoint is$/],
    ['no route', { '198.51.100.7': 'eth0' }, 'warning', /there is no route to 10\.0\.0\.0\/8$/],
    ['no way even to the endpoint', { '10.0.0.1': 'eth0' }, 'warning', /198\.51\.100\.7, to which there is no route; /],
  ])('tells in a connection test that there is %s to the ranges', async (_, routes, state, detail) => {
    home.resolveHost = async () => '198.51.100.7';
    home.findRoute = async (address) => {
      const by = routes[address];
      return by === undefined ? undefined : { from: '192.0.2.1', by };
    };
    const document = { ...BY_VPN, network_security: { ...BY_VPN.network_security, allowed_ip_ranges: ['10.0.0.0/8'] } };
    const { steps } = await home.engine().service.check(document, NEVER);
    expect(steps[0]).toMatchObject({ name: 'vpn', state, detail: expect.stringMatching(detail) });
    expect(steps[0]?.hint !== undefined).toBe(state === 'warning');
  });

  it('does not wait without end for a name service that is silent', async () => {
    home.resolveHost = () => new Promise(() => undefined);
    const report = home.engine().service.check(BY_VPN, NEVER);
    await home.clock.advance(5000);
    expect((await report).steps[0]).toMatchObject({ name: 'vpn', state: 'warning', milliseconds: 5000 });
  });

  it('tells nothing of a VPN that was not asked for', async () => {
    const { steps } = await home.engine().service.check(PLAIN, NEVER);
    expect(steps.map(({ name }) => name)).not.toContain('vpn');
  });
});

describe('in a stage', () => {
  it('refuses it where the function of the connector is outside', async () => {
    home.vpn = OUTSIDE;
    const { service } = home.engine();
    await expect(service.create(BY_VPN)).rejects.toMatchObject(REFUSED);
    await expect(service.validate(BY_VPN)).rejects.toMatchObject(REFUSED);
    await service.create(PLAIN);
    await expect(service.update('shop', BY_VPN, undefined)).rejects.toMatchObject(REFUSED);
    expect((await service.get('shop')).document).toEqual(PLAIN);
  });

  it('takes it where it is inside, and opens the source only from inside', async () => {
    home.vpn = { types: ['memory'], inside: false };
    const { service } = home.engine();
    expect((await service.create(BY_VPN)).warnings).toEqual([]);
    await expect(service.discover('shop', NEVER)).rejects.toMatchObject({ kind: 'config', code: 'outside_vpn' });
    expect(await service.check('shop', NEVER)).toMatchObject({
      passed: false,
      steps: [{ name: 'vpn', state: 'failed', hint: expect.stringContaining("API's function") }],
    });
    expect(home.opened).toBe(0);
    home.vpn = { types: ['memory'], inside: true };
    const inside = home.engine().service;
    await expect(inside.discover('shop', NEVER)).resolves.toHaveLength(1);
    expect((await inside.check('shop', NEVER)).steps[0]).toMatchObject({ name: 'vpn', state: 'passed' });
  });

  it('fails a run whose function has been moved out, and says so before', async () => {
    await home.engine().service.create(BY_VPN);
    home.vpn = OUTSIDE;
    const engine = home.engine();
    expect((await engine.service.get('shop')).warnings).toEqual([expect.stringContaining('runs are refused')]);
    const { id } = await engine.service.sync('shop', { trigger: 'manual', whenRunning: 'refuse' });
    await engine.step(0, NEVER);
    expect(await engine.service.run(id)).toMatchObject({ state: 'failed', fault: { code: 'outside_vpn' } });
    expect(home.opened).toBe(0);
  });
});
