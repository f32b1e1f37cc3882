import { nearest } from '../core/config';
import type { Connector } from '../core/connector';
import { Fault } from '../core/fault';

/** Every type of system that can be connected: one lazy line each. */
export const connectors = {
  aws_rds: () => import('./aws_rds').then((module) => module.aws_rds),
  azure_sql: () => import('./azure_sql').then((module) => module.azure_sql),
  cassandra: () => import('./cassandra').then((module) => module.cassandra),
  couchdb: () => import('./couchdb').then((module) => module.couchdb),
  dynamodb: () => import('./dynamodb').then((module) => module.dynamodb),
  mariadb: () => import('./mariadb').then((module) => module.mariadb),
  mongodb: () => import('./mongodb').then((module) => module.mongodb),
  mssql: () => import('./mssql').then((module) => module.mssql),
  mysql: () => import('./mysql').then((module) => module.mysql),
  oracle: () => import('./oracle').then((module) => module.oracle),
  postgresql: () => import('./postgresql').then((module) => module.postgresql),
  sqlite: () => import('./sqlite').then((module) => module.sqlite),
} satisfies { readonly [type: string]: () => Promise<Connector> };

/** The names of all types, as they stand in `type`. */
export const connectorTypes: readonly string[] = Object.keys(connectors);

/** Loads the connector of a type. @throws Fault `config`/`unknown_type` */
export async function loadConnector(type: string): Promise<Connector> {
  if (!Object.hasOwn(connectors, type)) throw unknownType(type);
  return connectors[type as keyof typeof connectors]();
}

function unknownType(type: string): Fault {
  const near = nearest(type, connectorTypes);
  const message = near === undefined ? 'is not known' : `is not known; did you mean "${near}"?`;
  return new Fault('config', 'unknown_type', `type: "${type}" ${message}`, {
    hint: `Known types: ${connectorTypes.join(', ')}.`,
    issues: [{ path: 'type', message }],
  });
}
