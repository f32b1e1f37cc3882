import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { connectTimeout, duration, globs, maxConnections, text } from '../shared/connection-fields';
import { documentsField } from '../shared/documents/config';
import { tlsFields } from '../shared/tls';

const connection = z.strictObject({
  url: secretField(
    'Everything in one: `https://username:password@host:port`, with the path of a proxy if there is one. Fields given beside it win.',
  ).optional(),
  host: text
    .meta({ description: 'Name or address of the server. Required without `url`.', example: 'couch.company.com' })
    .optional(),
  port: z
    .int()
    .min(1)
    .max(65535)
    .meta({ description: 'Port of the server. By default 5984, with `ssl` 6984.', example: 5984 })
    .optional(),
  username: text
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
  connect_timeout: connectTimeout('10s'),
  request_timeout: duration
    .meta({ description: 'How long to wait for an answer, and for each next piece of it.', default: '60s' })
    .optional(),
  max_connections: maxConnections('Most requests at the same time.'),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if (value.url === undefined && value.host === undefined) {
    context.addIssue({ code: 'custom', path: ['host'], message: 'is required, unless "url" is given' });
  }
}

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the server is and how to log in.' }),
  databases: globs
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
