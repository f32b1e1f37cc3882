// The package has no types of its own; only what is used here.
declare module 'oracledb' {
  const driver: driver.Driver;
  namespace driver {
    /** A type of Oracle, to be told by what it is. */
    interface DbType {
      readonly num: number;
      readonly name: string;
    }

    interface ColumnMetaData {
      readonly name: string;
      readonly dbType: DbType;
    }

    type FetchTypeHandler = (column: ColumnMetaData) => { readonly type: DbType } | undefined;

    interface ExecuteOptions {
      readonly resultSet: true;
      readonly outFormat: number;
      readonly prefetchRows: number;
      readonly fetchArraySize: number;
      readonly fetchTypeHandler: FetchTypeHandler;
    }

    interface ResultSet {
      getRows(count: number): Promise<unknown[][]>;
      close(): Promise<void>;
    }

    interface Connection {
      callTimeout: number;
      readonly oracleServerVersionString: string;
      execute(
        sql: string,
        values: readonly unknown[],
        options: ExecuteOptions,
      ): Promise<{ readonly resultSet?: ResultSet }>;
      break(): Promise<void>;
      close(): Promise<void>;
    }

    interface ConnectionOptions {
      readonly user: string;
      readonly password: string;
      readonly connectString: string;
      readonly program: string;
      /** In seconds. */
      readonly transportConnectTimeout: number;
    }

    interface Driver {
      getConnection(options: ConnectionOptions): Promise<Connection>;
      readonly OUT_FORMAT_ARRAY: number;
      readonly STRING: DbType;
      readonly BUFFER: DbType;
      readonly DB_TYPE_NUMBER: DbType;
      readonly DB_TYPE_CLOB: DbType;
      readonly DB_TYPE_NCLOB: DbType;
      readonly DB_TYPE_BLOB: DbType;
    }
  }
  export = driver;
}

declare module 'oracledb/lib/thin/sqlnet/ntTcp.js' {
  import type { Socket } from 'node:net';

  namespace Transport {
    /** One address of a descriptor, or of a listener that sends elsewhere. */
    interface TransportAddress {
      /** Resolved. */
      readonly host: string;
      /** As it was written. */
      readonly hostname: string;
      readonly port?: number;
      readonly protocol: string;
      readonly httpsProxy?: string;
    }
  }

  class Transport {
    stream: Socket | null;
    connStream: Socket;
    connected: boolean;
    readonly hostName: string;
    /** Where it was sent here from. */
    readonly originHost: string | undefined;
    readonly atts: { readonly sslServerCertDN?: string; readonly httpsProxy?: string };
    dnMatch(serverName: string, certificate: unknown): Error | undefined;
    ntConnect(address: Transport.TransportAddress): Promise<void>;
    tlsConnect(context: unknown, stream: Socket): Promise<void>;
  }
  export = Transport;
}
