import type { Network } from '../../core/network';
import type { UriForm } from '../shared/connection-uri';
import { type ServerEndpoint, serverEndpoint } from '../shared/server-endpoint';
import type { TlsConfig } from '../shared/tls';
import type { MysqlConfig } from './config';

/** Where to connect and how, with every default filled in. */
export type Endpoint = ServerEndpoint;

const DEFAULT_PORT = 3306;

// The modes are called as the clients of MySQL call them: https://dev.mysql.com/doc/refman/8.4/en/connection-options.html
const URI_FORM: UriForm = {
  protocols: ['mysql:', 'mariadb:'],
  beginning: 'mysql:// or mariadb://',
  example: 'mysql://username:password@host:port/database',
  encryption: {
    parameter: 'ssl-mode',
    normalised: (mode) => mode.toUpperCase(),
    modes: new Map<string, TlsConfig>([
      ['DISABLED', false],
      ['VERIFY_IDENTITY', true],
      ['VERIFY_CA', { verification: 'ca' }],
    ]),
    best: 'VERIFY_IDENTITY',
  },
};

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: MysqlConfig['connection'], network?: Network): Endpoint {
  return serverEndpoint(connection, { form: URI_FORM, port: DEFAULT_PORT }, network);
}
