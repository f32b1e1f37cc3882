import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import type { Secret } from '../../core/secret';

const tls = z.strictObject({
  verification: z
    .enum(['full', 'off'])
    .default('full')
    .describe('`full` checks the certificate and the name of the server; `off` encrypts without checking anything.'),
  ca: z.string().min(1).optional().describe('Certificates of the authorities to trust, as PEM text.'),
  cert: z.string().min(1).optional().describe('Client certificate, as PEM text.'),
  key: secretField('Private key of the client certificate, as PEM text.').optional(),
  server_name: z.string().min(1).optional().describe('Name that the certificate must hold, where it is not the host.'),
});

const schema = z
  .strictObject({
    url: secretField(
      'Address as `postgresql://user:password@host:port/database`; instead of the single fields.',
    ).optional(),
    host: z
      .string()
      .min(1)
      .optional()
      .describe('Host name or address of the server.')
      .meta({ example: 'db.example.com' }),
    port: z.int().min(1).max(65535).default(5432).describe('TCP port of the server.'),
    database: z.string().min(1).optional().describe('Name of the database.').meta({ example: 'warehouse' }),
    username: z.string().min(1).optional().describe('Role that owns what is written.').meta({ example: 'explorerio' }),
    password: secretField('Password of the role.').optional(),
    ssl: z
      .union([z.boolean(), tls])
      .default(false)
      .describe('`true` encrypts and verifies the server. Verification is left out only by `verification: "off"`.'),
    max_connections: z.int().min(2).max(100).default(8).describe('Most connections to hold at once.'),
    connect_timeout: z.int().min(1).max(300).default(15).describe('Seconds to wait for a connection.'),
  })
  .refine((value) => (value.url === undefined) !== (value.host === undefined), {
    path: ['url'],
    message: 'give either url, or host with database and username',
  })
  .refine((value) => value.url !== undefined || value.database !== undefined, {
    path: ['database'],
    message: 'is needed beside host',
  })
  .refine((value) => value.url !== undefined || value.username !== undefined, {
    path: ['username'],
    message: 'is needed beside host',
  })
  .refine((value) => value.url === undefined || addressIn(value.url) !== undefined, {
    path: ['url'],
    message: 'must look like postgresql://user:password@host:port/database, with odd characters percent-encoded',
  });

/** What the PostgreSQL destination can be told. */
export const postgresqlConfig = configSpec(schema);

/** The parsed configuration of the PostgreSQL destination. */
export type PostgresqlConfig = z.output<typeof schema>;

/** Where and as whom to connect. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
}

/** The address that the configuration names, by URL or by single fields. */
export function addressOf(config: PostgresqlConfig): Address {
  const fromUrl = config.url && addressIn(config.url);
  if (fromUrl) return fromUrl;
  const { host = 'localhost', port, database = 'postgres', username = 'postgres', password } = config;
  return { host, port, database, user: username, password: password?.reveal() };
}

function addressIn(url: Secret): Address | undefined {
  if (!URL.canParse(url.reveal())) return undefined;
  const parsed = new URL(url.reveal());
  if (!/^postgres(ql)?:$/.test(parsed.protocol) || parsed.hostname === '') return undefined;
  const [user, password, database] = [parsed.username, parsed.password, parsed.pathname.slice(1)].map(percentDecoded);
  if (user === undefined || user === '' || database === undefined || (password === undefined && parsed.password)) {
    return undefined;
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    database: database === '' ? user : database,
    user,
    password: password === '' ? undefined : password,
  };
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
