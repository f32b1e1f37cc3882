import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardedNetwork, type NetworkSecurity, type Resolve } from '../../lib/network/guard';
import { openSource } from '../contracts/open-source';
import { type Certificates, makeCertificates } from '../servers/certificates';
import { startNameServer } from '../servers/name-server';
import { patient } from '../servers/patience';
import { startTnsListener, type TnsListener } from '../servers/tns-listener';

// The driver itself connects here; what it meets hands nobody over to a server.
describe('the connections of Oracle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-oracle-'));
  const listeners: TnsListener[] = [];
  let certificates: Certificates;
  let plain: TnsListener;
  let secure: TnsListener;
  let trap: TnsListener;

  beforeAll(async () => {
    certificates = makeCertificates(folder, 'client');
    const read = (file: string) => readFileSync(join(folder, file));
    plain = await startTnsListener();
    secure = await startTnsListener('127.0.0.1', { cert: read('server.crt'), key: read('server.key') });
    trap = await startTnsListener('127.0.0.2');
    listeners.push(plain, secure, trap);
  });
  beforeEach(() => {
    for (const listener of listeners) listener.received.length = 0;
    plain.answer = { refuse: 12514 };
    secure.answer = { refuse: 12514 };
  });
  afterAll(() => {
    for (const listener of listeners) listener.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const signal = () => AbortSignal.timeout(patient(10_000));
  const config = (connection: object) => ({
    connection: { username: 'reader', password: 'sesame', connect_timeout: '2s', ...connection },
  });
  const at = (listener: TnsListener, more: object = {}) =>
    config({ host: '127.0.0.1', port: listener.port, service_name: 'shop', ...more });
  const open = (given: object, security?: NetworkSecurity, resolve?: Resolve) =>
    openSource('oracle', given, security && guardedNetwork(security, resolve));
  const discovered = async (given: object, security?: NetworkSecurity, resolve?: Resolve) => {
    await using source = await open(given, security, resolve);
    return source.source.discover(signal());
  };
  const to = (host: string, { port }: TnsListener, protocol = 'TCP') => ({
    redirect: `(DESCRIPTION=(ADDRESS=(PROTOCOL=${protocol})(HOST=${host})(PORT=${port})))`,
  });

  it('are made to the service or the instance that is named', async () => {
    await expect(discovered(at(plain))).rejects.toMatchObject({ kind: 'config', code: 'database_missing' });
    expect(plain.received.join()).toContain('(SERVICE_NAME=shop)');
    plain.answer = { refuse: 12505 };
    const { service_name: _, ...rest } = at(plain).connection as { service_name?: string };
    await expect(discovered({ connection: { ...rest, sid: 'ORCL' } })).rejects.toMatchObject({
      code: 'database_missing',
      hint: expect.stringContaining('sid'),
    });
    expect(plain.received.join()).toContain('(SID=ORCL)');
    plain.answer = { refuse: 12519 };
    await expect(discovered(at(plain))).rejects.toMatchObject({ kind: 'transient', code: 'listener_refused' });
  });

  it('go by a descriptor as it is', async () => {
    const descriptor = `(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=${plain.port}))(CONNECT_DATA=(SERVICE_NAME=books)))`;
    await expect(discovered(config({ descriptor }))).rejects.toMatchObject({ code: 'database_missing' });
    expect(plain.received.join()).toContain('(SERVICE_NAME=books)');
    const ranges = { allowed_ip_ranges: ['10.0.0.0/8'] };
    await expect(discovered(config({ descriptor }), ranges)).rejects.toMatchObject({ code: 'address_refused' });
  });

  it('are given up where nobody answers', async () => {
    plain.answer = 'nothing';
    await expect(discovered(at(plain, { connect_timeout: '200ms' }))).rejects.toMatchObject({
      kind: 'transient',
      code: 'connect_timeout',
    });
  });

  it('are refused by the rules, by address and by name', async () => {
    const ranges = { allowed_ip_ranges: ['10.0.0.0/8'] };
    const refused = { kind: 'config', code: 'address_refused', hint: expect.stringContaining('allowed_ip_ranges') };
    await expect(discovered(at(plain), ranges)).rejects.toMatchObject(refused);
    const answering: Resolve = (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    await expect(discovered(at(plain, { host: 'ora.example.com' }), ranges, answering)).rejects.toMatchObject(refused);
    expect(plain.received).toEqual([]);
    const allowed = { allowed_ip_ranges: ['127.0.0.1'] };
    await expect(discovered(at(plain, { host: 'ora.example.com' }), allowed, answering)).rejects.toMatchObject({
      code: 'database_missing',
    });
  });

  it('are refused when the name changes its answer after the first', async () => {
    const names = await startNameServer([['127.0.0.1'], ['127.0.0.1'], ['127.0.0.2']]);
    try {
      await using source = await open(
        at(plain, { host: 'ora.example.com' }),
        { allowed_ip_ranges: ['127.0.0.1'] },
        names.resolve,
      );
      const { steps } = await source.source.check(signal());
      expect(steps.find(({ state }) => state === 'failed')).toMatchObject({ code: 'address_refused' });
      expect(trap.received).toEqual([]);
    } finally {
      names.close();
    }
  });

  it('are refused where a listener sends on to what the rules do not allow', async () => {
    plain.answer = to('127.0.0.2', trap);
    await expect(discovered(at(plain), { allowed_ip_ranges: ['127.0.0.1'] })).rejects.toMatchObject({
      code: 'address_refused',
      message: expect.stringContaining('127.0.0.2'),
    });
    expect(plain.received).not.toEqual([]);
    expect(trap.received).toEqual([]);
    trap.answer = { refuse: 12514 };
    await expect(discovered(at(plain), { allowed_ip_ranges: ['127.0.0.0/8'] })).rejects.toMatchObject({
      code: 'database_missing',
    });
    expect(trap.received).not.toEqual([]);
  });

  it('are verified when they are encrypted', async () => {
    const { ca } = certificates;
    const encrypted = (ssl: unknown, host = 'localhost') => discovered(at(secure, { host, ssl }));
    await expect(encrypted(true)).rejects.toMatchObject({ kind: 'config', code: 'tls_untrusted' });
    expect(secure.received.join('')).toBe('');
    await expect(encrypted({ ca })).rejects.toMatchObject({ code: 'database_missing' });
    await expect(encrypted({ ca }, '127.0.0.1')).rejects.toMatchObject({ code: 'database_missing' });
    await expect(encrypted({ ca, server_name: 'ora.internal' })).rejects.toMatchObject({ code: 'tls_wrong_name' });
    await expect(encrypted({ ca, server_name: 'ora.internal', verification: 'ca' })).rejects.toMatchObject({
      code: 'database_missing',
    });
    await expect(encrypted({ verification: 'off' })).rejects.toMatchObject({ code: 'database_missing' });
    // The certificate is for the address, and this is not the name of it.
    const answering: Resolve = (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    await expect(discovered(at(secure, { host: 'ora.example.com', ssl: { ca } }), {}, answering)).rejects.toMatchObject(
      { code: 'tls_wrong_name' },
    );
    await expect(discovered(at(plain, { ssl: { ca } }))).rejects.toMatchObject({
      code: 'tls_not_offered',
    });
  });

  it('take a wallet for it', async () => {
    const { ca, clientCertificate, clientKey } = certificates;
    for (const wallet of [ca, `${clientKey}${clientCertificate}${ca}`]) {
      await expect(discovered(at(secure, { host: 'localhost', wallet }))).rejects.toMatchObject({
        code: 'database_missing',
      });
    }
    await expect(open(at(secure, { wallet: join(folder, 'nowhere') }))).rejects.toMatchObject({
      code: 'invalid_config',
    });
  });

  it('stay encrypted, wherever a listener sends them', async () => {
    const { ca } = certificates;
    secure.answer = to('127.0.0.2', trap);
    await expect(discovered(at(secure, { host: 'localhost', ssl: { ca } }))).rejects.toMatchObject({
      code: 'redirect_refused',
    });
    expect(trap.received).toEqual([]);
  });

  it('are encrypted where the rules ask for it', async () => {
    const issue = (path: string) => ({ code: 'invalid_config', issues: [{ path, message: expect.any(String) }] });
    await expect(open(at(plain), { require_ssl: true })).rejects.toMatchObject(issue('connection.ssl'));
    const address = (protocol: string) => `(ADDRESS=(PROTOCOL=${protocol})(HOST=127.0.0.1)(PORT=${plain.port}))`;
    const descriptor = (inside: string) => config({ descriptor: `(DESCRIPTION=${inside}(CONNECT_DATA=(SID=X)))` });
    await expect(open(descriptor(address('tcp')), { require_ssl: true })).rejects.toMatchObject(
      issue('connection.ssl'),
    );
    for (const inside of [
      `${address('tcp')}${address('tcps')}`,
      `(HTTPS_PROXY=proxy)${address('tcps')}`,
      `${address('tcps')}(SECURITY=(SSL_SERVER_DN_MATCH = off))`,
      `${address('tcps')}(SECURITY=(WALLET_LOCATION=/etc))`,
      address('ipc'),
    ]) {
      await expect(open(descriptor(inside))).rejects.toMatchObject(issue('connection.descriptor'));
    }
    expect(plain.received).toEqual([]);
  });
});
