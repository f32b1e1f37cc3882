import { mssqlConfig } from './config';
import { mssqlConnector } from './define';

/** SQL Server; Azure SQL has the same under its own name. */
export const mssql = mssqlConnector('mssql', 'Microsoft SQL Server (not verified against a real server)', mssqlConfig);
