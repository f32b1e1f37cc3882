import type { ConnectorCase } from './case';
import { cassandraCase } from './cassandra';
import { couchdbCase } from './couchdb';
import { dynamodbCase } from './dynamodb';
import { mongodbCase } from './mongodb';
import { mysqlCase } from './mysql';
import { postgresqlCase } from './postgresql';
import { sqliteCase } from './sqlite';

/** One case a type of system. */
export const CASES: readonly ConnectorCase[] = [
  cassandraCase,
  couchdbCase,
  dynamodbCase,
  mongodbCase,
  mysqlCase,
  postgresqlCase,
  sqliteCase,
];
