// Parts of the driver that make values; only what the tests use.
declare module 'oracledb/lib/impl/datahandlers/buffer.js' {
  export const BaseBuffer: { readonly prototype: { parseOracleNumber(bytes: Buffer): string } };
}

declare module 'oracledb/lib/impl/resultset.js' {
  import type { ColumnMetaData, DbType, FetchTypeHandler } from 'oracledb';

  interface Determined extends ColumnMetaData {
    fetchType?: DbType;
    converter?: (value: unknown) => unknown;
  }
  const implementation: {
    readonly prototype: {
      _determineFetchType(
        column: Determined,
        options: { readonly fetchTypeHandler: FetchTypeHandler },
        all: readonly Determined[],
      ): void;
    };
  };
  export default implementation;
}
