import { clientOptions } from '../../../../lib/destinations/postgresql/client';
import { addressOf, postgresqlConfig } from '../../../../lib/destinations/postgresql/config';

const base = { host: 'db.example.com', database: 'd', username: 'u' };

it('reads an address from a URL, percent-decoded, or from fields', () => {
  const config = postgresqlConfig.parse({ url: 'postgresql://us%40er:p%2Fw@[::1]:6000/my%20db' });
  expect(addressOf(config)).toEqual({ host: '::1', port: 6000, database: 'my db', user: 'us@er', password: 'p/w' });
  expect(addressOf(postgresqlConfig.parse(base))).toMatchObject({ host: 'db.example.com', port: 5432, user: 'u' });
  expect(JSON.stringify(config)).not.toContain('p%2Fw');
});

it('verifies the server whenever TLS is on, unless told otherwise in words', () => {
  const ssl = (value: unknown) => clientOptions(postgresqlConfig.parse({ ...base, ssl: value })).ssl;
  expect(ssl(true)).toEqual({ rejectUnauthorized: true, servername: 'db.example.com' });
  expect(ssl({ ca: 'PEM' })).toMatchObject({ rejectUnauthorized: true, ca: 'PEM' });
  expect(ssl({ verification: 'off' })).toMatchObject({ rejectUnauthorized: false });
  expect(ssl({ server_name: 'other' })).toMatchObject({ rejectUnauthorized: true, servername: 'other' });
  expect(ssl(false)).toBe(false);
  expect(() => ssl({ verify: false })).toThrow(/unknown key/);
});
