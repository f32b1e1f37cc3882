import { mongodbConfig } from '../../../../lib/connectors/mongodb/config';
import { endpointOf } from '../../../../lib/connectors/mongodb/endpoint';
import type { Fault } from '../../../../lib/core/fault';
import { INTEGRATIONS } from '../../engine/specification';

const endpoint = (connection: object) => endpointOf(mongodbConfig.parse({ connection }).connection);
const issueOf = (connection: object) => {
  try {
    endpoint(connection);
  } catch (error) {
    return (error as Fault).issues?.[0];
  }
  return undefined;
};

describe('the endpoint of MongoDB', () => {
  it('is that of the specification', () => {
    const example = INTEGRATIONS.find(({ type }) => type === 'mongodb');
    const { connection } = example as { connection: object };
    const found = endpoint(connection);
    expect(found).toMatchObject({
      hosts: [{ host: 'cluster.mongodb.net', port: 27017 }],
      database: 'userdb',
      username: 'analytics_user',
      authDatabase: 'admin',
      maxConnections: 4,
    });
    expect(found.password?.reveal()).toBe('${MONGO_PASSWORD}');
    expect(found.tls).toBeUndefined();
  });

  it('is read from a URI, whose parts the fields override', () => {
    const uri =
      'mongodb://us%40er:p%3Ass@a:1,[::1]:2,c/db?replicaSet=rs&authSource=users&tls=true&readPreference=nearest&w=majority';
    const found = endpoint({ uri, database: 'other' });
    expect(found).toMatchObject({
      hosts: [
        { host: 'a', port: 1 },
        { host: '::1', port: 2 },
        { host: 'c', port: 27017 },
      ],
      database: 'other',
      username: 'us@er',
      authDatabase: 'users',
      replicaSet: 'rs',
      readPreference: 'nearest',
      tls: { rejectUnauthorized: true },
    });
    expect(found.password?.reveal()).toBe('p:ss');
  });

  it('looks for the user where drivers do', () => {
    expect(endpoint({ uri: 'mongodb://u:p@h/db' }).authDatabase).toBe('db');
    expect(endpoint({ uri: 'mongodb://u:p@h/db', auth_database: 'users' }).authDatabase).toBe('users');
    expect(endpoint({ uri: 'mongodb://h/db', username: 'u', password: 'p' }).authDatabase).toBe('admin');
    expect(endpoint({ host: 'h', database: 'db', auth_mechanism: 'MONGODB-X509' }).authDatabase).toBe('$external');
  });

  it('encrypts with mongodb+srv unless told otherwise', () => {
    const uri = 'mongodb+srv://cluster.example.com/db';
    expect(endpoint({ uri })).toMatchObject({ service: 'cluster.example.com', hosts: [], tls: expect.anything() });
    expect(endpoint({ uri, ssl: false }).tls).toBeUndefined();
  });

  it.each([
    [{ uri: 'postgresql://u:secret-word@h/d' }, 'connection.uri'],
    [{ uri: 'mongodb://u:secret-word@h:x/d' }, 'connection.uri'],
    [{ uri: 'mongodb://u:secret-word%@h/d' }, 'connection.uri'],
    [{ uri: 'mongodb://u:secret-word@h/d?tls=yes' }, 'connection.uri'],
    [{ uri: 'mongodb://u:secret-word@h/d?readPreference=first' }, 'connection.uri'],
    [{ uri: 'mongodb://u:secret-word@h/d?colour=red' }, 'connection.uri'],
    [{ uri: 'mongodb://u:secret-word@h' }, 'connection.uri'],
    [{ hosts: ['a:b'], database: 'd' }, 'connection.hosts[0]'],
    [{ host: 'a', database: 'd', password: 'secret-word' }, 'connection.username'],
    [{ host: 'a' }, 'connection.database'],
    [{ database: 'd' }, 'connection.host'],
  ])('%j is refused by its path, without its secret', (connection, path) => {
    const issue = issueOf(connection);
    expect(issue?.path).toBe(path);
    expect(issue?.message).not.toContain('secret-word');
  });
});
