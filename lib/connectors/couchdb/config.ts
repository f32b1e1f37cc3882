import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { DURATION_PATTERN } from '../../core/duration';
import { documentsField } from '../shared/documents/config';
import { tlsFields } from '../shared/tls';

const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as "500ms", "10s" or "5m"');

const connection = z.strictObject({
  url: secretField(
    'Everything in one: `https://username:password@host:port`, with the path of a proxy if there is one. Fields given beside it win.',
  ).optional(),
  host: z
    .string()
    .min(1)
    .meta({ description: 'Name or address of the server. Required without `url`.', example: 'couch.company.com' })
    .optional(),
  port: z
    .int()
    .min(1)
    .max(65535)
    .meta({ description: 'Port of the server. By default 5984, with `ssl` 6984.', example: 5984 })
    .optional(),
  username: z
    .string()
    .min(1)
    .meta({
      description: 'User to log in as; a member of the databases is enough. Absent: no login.',
      example: 'reader',
    })
    .optional(),
  password: secretField('Password of the user.').optional(),
  login: z
    .enum(['basic', 'cookie'])
    .meta({ description: 'How to log in: with each request, or once for a session.', default: 'basic' })
    .optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connection. `true` verifies the certificate chain and host name against the well-known authorities; an object says more. On where `url` begins with `https`.',
      example: true,
    })
    .optional(),
  connect_timeout: duration
    .meta({ description: 'How long to wait for the server when connecting.', default: '10s' })
    .optional(),
  request_timeout: duration
    .meta({ description: 'How long to wait for an answer, and for each next piece of it.', default: '60s' })
    .optional(),
  max_connections: z
    .int()
    .min(1)
    .max(64)
    .meta({ description: 'Most requests at the same time.', default: 4 })
    .optional(),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if (value.url === undefined && value.host === undefined) {
    context.addIssue({ code: 'custom', path: ['host'], message: 'is required, unless "url" is given' });
  }
}

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the server is and how to log in.' }),
  databases: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description:
        'Databases to read, as names or globs (`*`, `?`); one that begins with `!` excludes. By default all but those of the system. Plain names need no right to list databases.',
      example: ['orders', 'shop-*', '!*-backup'],
    })
    .optional(),
  design_documents: z.boolean().meta({ description: 'Read design documents, too.', default: false }).optional(),
  documents: documentsField.optional(),
});

/** The configuration of a CouchDB source, parsed. */
export type CouchdbConfig = z.output<typeof schema>;

/** The `connection` section of it. */
export type ConnectionConfig = CouchdbConfig['connection'];

/** What can be configured. */
export const couchdbConfig = configSpec(schema);
