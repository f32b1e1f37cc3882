import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { nearest } from '../lib/core/config';
import { Fault } from '../lib/core/fault';
import type { IntegrationDocument } from '../lib/core/integration';
import type { Client } from './client';
import { checkFiles, problemsFault } from './document-files';
import { integrationPath } from './perform';
import type { Integration, IntegrationList, Validation } from './wire';

/** What a word on the command line stands for: a stored integration, or the documents in a file or folder. */
export type Target =
  | { readonly kind: 'stored'; readonly name: string }
  | { readonly kind: 'document'; readonly name: string; readonly document: IntegrationDocument };

/** Whether a word can only be a path. */
export function looksLikePath(word: string): boolean {
  return word.endsWith('.json') || /[\\/]/.test(word) || word === '.' || word === '..';
}

/**
 * Finds out what each word stands for. All files are checked before this returns: one wrong file and nothing is used.
 * @throws Fault `config`
 */
export async function resolveTargets(client: Client, words: readonly string[]): Promise<readonly Target[]> {
  const { integrations } = await client.request<IntegrationList>('GET', '/api/integrations');
  const known = integrations.map(({ id }) => id);
  const isFile = (word: string) => looksLikePath(word) || (!known.includes(word) && existsSync(word));
  const { documents, problems } = await checkFiles(words.filter(isFile), async (document) => {
    return (await client.request<Validation>('POST', '/api/validate', document)).warnings;
  });
  if (problems.length > 0) throw problemsFault(problems);
  const stored = words.filter((word) => !isFile(word));
  const unknown = stored.find((word) => !known.includes(word));
  if (unknown !== undefined) throw unknownIntegration(unknown, known);
  return [
    ...stored.map((name) => ({ kind: 'stored', name }) as const),
    ...documents.map(({ document, name }) => ({ kind: 'document', name, document }) as const),
  ];
}

function unknownIntegration(word: string, known: readonly string[]): Fault {
  const near = nearest(word, known);
  const list = known.length === 0 ? 'There is none yet' : `There are: ${known.join(', ')}`;
  return new Fault('config', 'not_found', `finding ${word}: there is neither an integration nor a file of that name`, {
    hint: near === undefined ? `${list}. Name one of them, or a JSON file of your own.` : `Did you mean ${near}?`,
  });
}

/** The only thing that one word stands for. */
export async function resolveTarget(client: Client, word: string): Promise<Target> {
  const [target, other] = await resolveTargets(client, [word]);
  if (target !== undefined && other === undefined) return target;
  throw new Fault('config', 'one_target', `finding ${word}: there are several integrations in it`, {
    hint: 'Name one file.',
  });
}

/** Stores a document under its name: creates the integration, or updates it where it differs. */
export async function storeDocument(
  client: Client,
  name: string,
  document: IntegrationDocument,
): Promise<'created' | 'updated' | 'unchanged'> {
  try {
    await client.request<Integration>('POST', '/api/integrations', document);
    return 'created';
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'already_exists') throw error;
  }
  const stored = await client.request<Integration>('GET', integrationPath(name));
  // A secret that was written into the file is never shown, so that such a document always counts as changed.
  if (isDeepStrictEqual(stored.document, document)) return 'unchanged';
  await client.request<Integration>('PUT', integrationPath(name), document);
  return 'updated';
}
