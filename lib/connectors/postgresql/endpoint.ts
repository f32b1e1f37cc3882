import type { Network } from '../../core/network';
import type { UriForm } from '../shared/connection-uri';
import { type ServerEndpoint, serverEndpoint } from '../shared/server-endpoint';
import type { TlsConfig } from '../shared/tls';
import type { ConnectionConfig } from './config';

/** Where to connect and how, with every default filled in. */
export interface Endpoint extends ServerEndpoint {
  readonly applicationName: string;
}

const DEFAULT_PORT = 5432;

const URI_FORM: UriForm = {
  protocols: ['postgres:', 'postgresql:'],
  beginning: 'postgresql://',
  example: 'postgresql://username:password@host:port/database',
  encryption: {
    parameter: 'sslmode',
    normalised: (mode) => mode,
    modes: new Map<string, TlsConfig>([
      ['disable', false],
      ['verify-full', true],
      ['verify-ca', { verification: 'ca' }],
    ]),
    best: 'verify-full',
  },
};

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, network?: Network): Endpoint {
  return {
    ...serverEndpoint(connection, { form: URI_FORM, port: DEFAULT_PORT }, network),
    applicationName: connection.application_name ?? 'explorerio',
  };
}
