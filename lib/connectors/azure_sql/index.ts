import { azureConfig } from '../mssql/config';
import { mssqlConnector } from '../mssql/define';

/** Azure SQL Database and Managed Instance. */
export const azure_sql = mssqlConnector('azure_sql', 'Azure SQL (not verified against a real server)', azureConfig);
