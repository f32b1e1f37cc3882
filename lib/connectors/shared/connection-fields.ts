import * as z from 'zod';
import { secretField } from '../../core/config';
import { DURATION_PATTERN } from '../../core/duration';
import { tlsFields } from './tls';

/** A duration, such as `10s`. */
export const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as "500ms", "10s" or "5m"');

/** A text that is not empty. */
export const text = z.string().min(1);

/** Names or globs of what is read. */
export const globs = z.array(text).min(1);

/** The port of a server. */
export function portField(port: number, description = 'Port of the server.') {
  return z.int().min(1).max(65535).meta({ description, default: port }).optional();
}

/** Whether and how a connection is encrypted; off by default. */
export const sslField = z
  .union([z.boolean(), tlsFields])
  .meta({
    description:
      'Encrypt the connection. `true` verifies the certificate chain and host name against the well-known authorities; an object says more. Off by default.',
    example: true,
  })
  .optional();

/** How long a connection may take. */
export function connectTimeout(standard: string, whom = 'the server') {
  return duration.meta({ description: `How long to wait for ${whom} when connecting.`, default: standard }).optional();
}

/** When a statement is ended. */
export function statementTimeout(description: string) {
  return duration.meta({ description, example: '30m' }).optional();
}

/** How many connections there may be. */
export function maxConnections(description: string) {
  return z.int().min(1).max(64).meta({ description, default: 4 }).optional();
}

/** A publication that is made already, in the text of PostgreSQL's logical replication. */
export function publication(description: string) {
  return text.max(63).meta({ description, example: 'explorerio' }).optional();
}

/** How our connections are called at the server. */
export function applicationName(description: string) {
  return z.string().min(1).max(63).meta({ description, default: 'explorerio' }).optional();
}

/** How long increments wait for writes that are on their way. */
export const settleTime = duration
  .meta({
    description:
      'With increments: how long a write may take from the moment its time was taken until it is stored. An increment waits so long, and reads what was written before.',
    default: '2s',
  })
  .optional();

/** How much older than the newest a row may be that a late commit brings. */
export function lateCommitMargin(description: string) {
  return duration.meta({ description, default: '1m' }).optional();
}

/** An AWS region. */
export const awsRegion = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'expected a region such as "eu-central-1"');

/** Keys of AWS; see `aws-keys.ts`. */
export function awsKeyFields(description: string) {
  return {
    access_key_id: text.meta({ description, example: 'AKIAIOSFODNN7EXAMPLE' }).optional(),
    secret_access_key: secretField('Secret of the access key.').optional(),
    session_token: secretField('Token of temporary credentials.').optional(),
  };
}

/** Refuses a connection without `uri` that lacks one of the fields. */
export function requireUnlessUri<const N extends string>(names: readonly N[]) {
  return <T extends { readonly uri?: unknown } & { readonly [name in N]?: unknown }>(
    value: T,
    context: z.core.$RefinementCtx<T>,
  ): void => {
    if (value.uri !== undefined) return;
    for (const name of names) {
      if (value[name] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'is required, unless "uri" is given' });
    }
  };
}
