import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { DURATION_PATTERN } from '../../core/duration';
import { REST } from '../../core/schema';
import { tlsFields } from '../shared/tls';

const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as "500ms", "10s" or "5m"');

/** Members of a replica set to read from. */
export const READ_PREFERENCES = ['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest'] as const;
/** Ways to log in. */
export const AUTH_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'MONGODB-X509'] as const;

const connection = z.strictObject({
  uri: secretField(
    'Everything in one: `mongodb://username:password@host:port,host:port/database` or `mongodb+srv://...`. Fields given beside it win.',
  ).optional(),
  host: z
    .string()
    .min(1)
    .meta({
      description: 'Name or address of the server. Required without `uri` and `hosts`.',
      example: 'db.company.com',
    })
    .optional(),
  port: z.int().min(1).max(65535).meta({ description: 'Port of the server.', default: 27017 }).optional(),
  hosts: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description: 'Several members of a replica set, or several routers, each as `host` or `host:port`.',
      example: ['db1.company.com:27017', 'db2.company.com:27017'],
    })
    .optional(),
  database: z
    .string()
    .min(1)
    .meta({ description: 'Database to read. Required, unless `uri` names it.', example: 'userdb' })
    .optional(),
  username: z
    .string()
    .min(1)
    .meta({
      description: 'User to log in as; the role `read` on the database is enough. Absent: no login.',
      example: 'analytics_user',
    })
    .optional(),
  password: secretField('Password of the user.').optional(),
  auth_database: z
    .string()
    .min(1)
    .meta({
      description:
        'Database that holds the user: `authSource`. By default `admin`, and where `uri` has a login, its database.',
      example: 'admin',
    })
    .optional(),
  auth_mechanism: z
    .enum(AUTH_MECHANISMS)
    .meta({ description: 'How to log in. By default the best that the server offers.' })
    .optional(),
  replica_set: z
    .string()
    .min(1)
    .meta({ description: 'Name that the replica set must have.', example: 'rs0' })
    .optional(),
  direct: z
    .boolean()
    .meta({ description: 'Speak to the one named host only, whatever replica set it belongs to.', default: false })
    .optional(),
  read_preference: z
    .enum(READ_PREFERENCES)
    .meta({ description: 'Members to read from. Increments are safest from the primary.', default: 'primary' })
    .optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connection. `true` verifies the certificate chain and host name against the well-known authorities; an object says more. Off by default, on with `mongodb+srv`.',
      example: true,
    })
    .optional(),
  application_name: z
    .string()
    .min(1)
    .max(63)
    .meta({ description: "How the connections are named in the server's log.", default: 'explorerio' })
    .optional(),
  connect_timeout: duration
    .meta({ description: 'How long to wait for a server when connecting.', default: '10s' })
    .optional(),
  statement_timeout: duration
    .meta({
      description: 'Ends an operation that runs longer at the server. By default there is no limit.',
      example: '30m',
    })
    .optional(),
  max_connections: z
    .int()
    .min(1)
    .max(64)
    .meta({
      description: 'Most connections that read at the same time. One more watches each server.',
      default: 4,
    })
    .optional(),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if (value.uri === undefined && value.database === undefined) {
    context.addIssue({ code: 'custom', path: ['database'], message: 'is required, unless "uri" names it' });
  }
  if (value.uri === undefined && value.host === undefined && value.hosts === undefined) {
    context.addIssue({ code: 'custom', path: ['host'], message: 'is required, unless "uri" or "hosts" is given' });
  }
}

const documents = z.strictObject({
  form: z
    .enum(['columns', 'json'])
    .optional()
    .meta({
      description: `\`columns\`: a column per field, found out by a sample, and the column \`${REST}\` for whatever does not fit into them. \`json\`: \`_id\`, the dates of the first level, and the whole in one column \`document\`.`,
      default: 'columns',
    }),
  depth: z.int().min(1).max(5).optional().meta({
    description:
      'With `columns`: levels of nested documents that become columns of their own, called `outer.inner`. What is deeper is JSON.',
    default: 1,
  }),
  sample: z.int().min(2).max(10_000).optional().meta({
    description: 'Documents that are looked at for the columns: half of them the first by `_id`, half the last.',
    default: 1000,
  }),
});

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the database is and how to log in.' }),
  collections: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description:
        'Collections and views to read, as names or globs (`*`, `?`); one that begins with `!` excludes. By default all collections.',
      example: ['users', 'order_*', '!*_backup'],
    })
    .optional(),
  documents: documents.meta({ description: 'How documents become rows.' }).optional(),
});

/** The configuration of a MongoDB source, parsed. */
export type MongodbConfig = z.output<typeof schema>;

/** The `connection` section of it. */
export type ConnectionConfig = MongodbConfig['connection'];

/** What can be configured. */
export const mongodbConfig = configSpec(schema);
