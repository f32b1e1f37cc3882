import { mysqlConnector } from '../mysql/define';

/** MariaDB 10.5 and later, by MySQL's protocol. */
export const mariadb = mysqlConnector('mariadb', 'MariaDB');
