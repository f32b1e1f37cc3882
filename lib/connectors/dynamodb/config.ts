import * as z from 'zod';
import { configSpec } from '../../core/config';
import { requireKeys } from '../shared/aws-keys';
import {
  awsKeyFields,
  awsRegion,
  connectTimeout,
  duration,
  globs,
  maxConnections,
  settleTime,
} from '../shared/connection-fields';
import { documentsField } from '../shared/documents/config';

const address = z.url({ protocol: /^https?$/ });

const role = z.strictObject({
  arn: z
    .string()
    .regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, 'expected arn:aws:iam::ACCOUNT:role/NAME')
    .meta({ description: 'The role.', example: 'arn:aws:iam::123456789012:role/reader' }),
  external_id: z
    .string()
    .min(2)
    .meta({ description: 'What the trust policy of the role asks for as `sts:ExternalId`.', example: 'explorerio-7' })
    .optional(),
  endpoint: address
    .meta({ description: "Address of STS, where it is not AWS's own for the region: a VPC endpoint." })
    .optional(),
});

const connection = z.strictObject({
  region: awsRegion.meta({ description: 'AWS region of the tables.', example: 'eu-central-1' }),
  ...awsKeyFields(
    'Access key to sign with. Without it the process signs as itself: environment, profile, or the role of its function, container or machine.',
  ),
  role: role
    .meta({ description: 'Role to take on before reading: of another account, or with fewer rights.' })
    .optional(),
  endpoint: address
    .meta({
      description: "Address of the service, where it is not AWS's own for the region: a VPC endpoint, an emulator.",
      example: 'https://vpce-0123.dynamodb.eu-central-1.vpce.amazonaws.com',
    })
    .optional(),
  connect_timeout: connectTimeout('5s', 'the service'),
  request_timeout: duration.meta({ description: 'How long to wait for one page of items.', default: '30s' }).optional(),
  max_connections: maxConnections('Most requests at the same time.'),
});

const schema = z.strictObject({
  connection: connection.superRefine(requireKeys).meta({ description: 'Where the tables are and who reads them.' }),
  tables: globs
    .meta({
      description:
        'Tables to read, as names or globs (`*`, `?`); one that begins with `!` excludes. By default all of the region. Plain names need no right to list tables.',
      example: ['orders', 'shop-*', '!*-backup'],
    })
    .optional(),
  consistent_read: z
    .boolean()
    .meta({
      description: 'Read what was written a moment ago, too: strongly consistent, at twice the read capacity.',
      default: false,
    })
    .optional(),
  read_capacity_per_second: z
    .number()
    .min(0.5)
    .meta({
      description:
        'Read capacity units to use per second in each process, as DynamoDB measures them. By default without a limit.',
      example: 50,
    })
    .optional(),
  documents: documentsField.optional(),
  settle_time: settleTime,
});

/** The configuration of a DynamoDB source, parsed. */
export type DynamodbConfig = z.output<typeof schema>;

/** What can be configured. */
export const dynamodbConfig = configSpec(schema);
