import { openDestination } from '../../../lib/destinations';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { silent } from '../postgresql';

describeWithServer('TLS on PostgreSQL 15', postgresql({ version: 15, tls: true }), (server) => {
  const checked = async (ssl: unknown, host = '127.0.0.1') => {
    const { port, user, password, database } = server();
    const config = { host, port, username: user, password: password || 'none', database, ssl };
    const context = { integration: 'shop', namespace: 'tls', deletes: 'hard' } as const;
    const destination = await openDestination('postgresql', config, context, { log: silent });
    const { steps } = await destination.check(new AbortController().signal);
    await destination.close();
    return steps.find(({ name, state }) => state === 'failed' || name === 'tls');
  };

  it('trusts the given authority, refuses others, and skips the check only when told in words', async () => {
    expect(await checked({ ca: server().ca })).toMatchObject({
      state: 'passed',
      detail: expect.stringContaining('server verified'),
    });
    expect(await checked({ ca: server().ca }, 'localhost')).toMatchObject({ state: 'passed' });
    expect(await checked(true)).toMatchObject({
      name: 'tls',
      state: 'failed',
      hint: expect.stringContaining('ssl.ca'),
    });
    expect(await checked({ ca: server().ca, server_name: 'other.example.com' })).toMatchObject({
      name: 'tls',
      state: 'failed',
    });
    expect(await checked({ verification: 'off' })).toMatchObject({ detail: expect.stringContaining('not verified') });
    expect(await checked(false)).toMatchObject({ state: 'passed', detail: 'not encrypted, as configured' });
  });
});
