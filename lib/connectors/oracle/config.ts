import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import {
  connectTimeout,
  globs,
  lateCommitMargin,
  maxConnections,
  portField,
  statementTimeout,
  text,
} from '../shared/connection-fields';
import { tlsFields } from '../shared/tls';

// What could not stand in a descriptor without changing it.
const word = z.string().regex(/^[^\s()='"\\]+$/, 'must not hold blanks, quotation marks, parentheses or "="');

const connection = z.strictObject({
  host: word
    .meta({
      description: 'Name or address of the listener. Required without `descriptor`.',
      example: 'ora.company.com',
    })
    .optional(),
  port: portField(1521, 'Port of the listener.'),
  service_name: word
    .meta({ description: 'Service to connect to. It or `sid` is required without `descriptor`.', example: 'ORCLPDB1' })
    .optional(),
  database: word.meta({ description: 'Another name of `service_name`.' }).optional(),
  sid: word.meta({ description: 'Instance to connect to, in the place of a service.', example: 'ORCL' }).optional(),
  descriptor: z
    .string()
    .regex(/^\s*\(/, 'expected "(DESCRIPTION=...)"; names of tnsnames.ora are not looked up')
    .meta({
      description:
        'A whole connect descriptor, in the place of `host`, `port` and service. Its addresses are either all `TCP` or all `TCPS`; what it could say of wallets and proxies is not allowed in it.',
      example:
        '(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=ora.company.com)(PORT=1522))(CONNECT_DATA=(SERVICE_NAME=shop)))',
    })
    .optional(),
  username: text.meta({
    description: 'User to log in as; it needs SELECT or READ on the tables.',
    example: 'EXPLORERIO',
  }),
  password: secretField('Password of the user.').optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connection (TCPS). `true` verifies the certificate chain and host name against the well-known authorities; an object says more. Off by default, but for a descriptor with `TCPS` or with a `wallet`.',
      example: true,
    })
    .optional(),
  wallet: text
    .meta({
      description:
        'A wallet: PEM text, the path of an `ewallet.pem`, or of the folder that holds it. In the place of `ssl.ca`, `ssl.cert` and `ssl.key`.',
      example: '/etc/oracle/wallet',
    })
    .optional(),
  wallet_password: secretField('Password of the key in the wallet.').optional(),
  connect_timeout: connectTimeout('15s'),
  statement_timeout: statementTimeout(
    'Ends a statement that has the server work longer on one answer. By default there is no limit.',
  ),
  max_connections: maxConnections('Most connections at the same time.'),
});

type Connection = z.output<typeof connection>;

const PLACES = ['host', 'port', 'service_name', 'database', 'sid'] as const;
const SERVICES = ['service_name', 'database', 'sid'] as const;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  const issue = (field: keyof Connection, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  if (value.descriptor !== undefined) {
    for (const field of PLACES) if (value[field] !== undefined) issue(field, 'is said by "descriptor" already');
    return;
  }
  if (value.host === undefined) issue('host', 'is required, unless "descriptor" is given');
  const services = SERVICES.filter((field) => value[field] !== undefined);
  if (services.length === 0) issue('service_name', 'is required, or "sid", unless "descriptor" is given');
  for (const field of services.slice(1)) issue(field, `cannot be given beside "${services[0]}"`);
}

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the database is and how to log in.' }),
  schemas: globs
    .meta({
      description:
        'Schemas to read, as names or globs (`*`, `?`), as Oracle writes them: mostly in capitals. By default that of the user.',
      example: ['SHOP', 'SALES_*'],
    })
    .optional(),
  tables: globs
    .meta({
      description:
        'Tables and views to read, as names or globs; one that begins with `!` excludes. Those of the user are called by their name alone, others `SCHEMA.TABLE`. By default all.',
      example: ['ORDERS', 'SALES.*', '!*_BACKUP'],
    })
    .optional(),
  row_scn: z
    .boolean()
    .meta({
      description:
        'Adds a column `ORA_ROWSCN` to each table: the number of the newest change, a cursor that misses no commit. Full reads are then not of one moment.',
      default: false,
    })
    .optional(),
  nanoseconds: z
    .enum(['text', 'fail'])
    .meta({
      description:
        'Times with more than six digits of a second, of which six can be kept: `text` reads such columns as text with all digits; `fail` reads them as times, and stops the stream at a row with a digit that is lost.',
      default: 'text',
    })
    .optional(),
  late_commit_margin: lateCommitMargin(
    'Where the user may not see which transactions are open: increments by a time read rows again that are at most this much older than the newest.',
  ),
});

/** The configuration of a source, parsed. */
export type OracleConfig = z.output<typeof schema>;

/** What can be configured. */
export const oracleConfig = configSpec(schema);
