import { createHash } from 'node:crypto';
import type { IntegrationFields } from '../core/integration';
import { canonicalJson, type Json } from '../core/json';
import type { Pipeline } from '../core/pipeline';

const DIGITS = 16;

/**
 * Digest of what decides whether a record can be loaded: the steps and rules, or where there are none, what the document
 * says about streams and about how they are stored.
 */
export function configurationOf({ destination, streams }: IntegrationFields, pipeline: Pipeline | undefined): string {
  if (pipeline !== undefined) return pipeline.fingerprint;
  const parts = { destination: destination ?? null, streams: streams ?? null } as { readonly [part: string]: Json };
  return createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, DIGITS);
}
