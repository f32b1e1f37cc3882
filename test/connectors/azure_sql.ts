import type { SourceFixture } from '../contracts/source-reading';
import { encryptedFixture } from './mssql';

/** What differs from SQL Server is the configuration, and that nothing is sent in the clear. */
export const fixtures: readonly SourceFixture[] = [encryptedFixture];
