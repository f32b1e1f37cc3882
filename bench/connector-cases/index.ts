import type { ConnectorCase } from './case';
import { mongodbCase } from './mongodb';
import { mysqlCase } from './mysql';

/** One case a type of system. */
export const CASES: readonly ConnectorCase[] = [mongodbCase, mysqlCase];
