import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import {
  connectTimeout,
  duration,
  globs,
  maxConnections,
  portField,
  settleTime,
  text,
} from '../shared/connection-fields';
import { tlsFields } from '../shared/tls';

/** How many replicas must agree on what is read. */
export const CONSISTENCIES = ['local_quorum', 'quorum', 'local_one', 'one', 'two', 'three', 'all'] as const;

const connection = z.strictObject({
  host: text
    .meta({
      description: 'Name or address of one node. Required without `contact_points`.',
      example: 'cassandra.internal',
    })
    .optional(),
  contact_points: globs
    .meta({
      description:
        'Names or addresses of nodes, each tried until one answers; the other nodes are found by asking it. Required without `host`.',
      example: ['10.0.0.1', '10.0.0.2'],
    })
    .optional(),
  port: portField(9042, 'Port of CQL, at every node.'),
  local_data_center: text
    .meta({
      description: 'The data centre whose nodes are read. By default that of the first node that answers.',
      example: 'dc1',
    })
    .optional(),
  keyspace: text.meta({ description: 'Keyspace to read, as it is stored (case counts).', example: 'shop' }),
  username: text
    .meta({ description: 'Role to log in as; it needs SELECT on the tables.', example: 'readonly_user' })
    .optional(),
  password: secretField('Password of the role.').optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connections. `true` verifies the certificate chain and the name or address of each node against the well-known authorities; an object says more. Off by default.',
      example: true,
    })
    .optional(),
  consistency: z
    .enum(CONSISTENCIES)
    .meta({
      description:
        'How many replicas are asked for each page. Less than a quorum can miss what was written with a quorum.',
      default: 'local_quorum',
    })
    .optional(),
  connect_timeout: connectTimeout('10s', 'the cluster'),
  statement_timeout: duration
    .meta({
      description: 'How long to wait for one page of rows; the server has its own limits besides.',
      default: '30s',
    })
    .optional(),
  max_connections: maxConnections(
    'Most parts that are read at the same time, and most nodes that are connected to, with one connection each.',
  ),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if (value.host === undefined && value.contact_points === undefined) {
    context.addIssue({ code: 'custom', path: ['host'], message: 'is required, unless "contact_points" is given' });
  }
  if ((value.username === undefined) !== (value.password === undefined)) {
    const missing = value.username === undefined ? 'username' : 'password';
    context.addIssue({ code: 'custom', path: [missing], message: 'is missing: "username" and "password" go together' });
  }
}

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the cluster is and how to log in.' }),
  tables: globs
    .meta({
      description: 'Tables to read, as names or globs (`*`, `?`); one that begins with `!` excludes. By default all.',
      example: ['orders', 'events_*', '!*_backup'],
    })
    .optional(),
  settle_time: settleTime,
});

/** The configuration of a Cassandra source, parsed. */
export type CassandraConfig = z.output<typeof schema>;

/** The `connection` section of it. */
export type ConnectionConfig = CassandraConfig['connection'];

/** What can be configured. */
export const cassandraConfig = configSpec(schema);
