import { mysqlConnector } from './define';

/** MySQL 8 and later; MariaDB has the same under its own name. */
export const mysql = mysqlConnector('mysql', 'MySQL');
