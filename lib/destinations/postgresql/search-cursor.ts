import { createHash } from 'node:crypto';
import type { SearchRequest } from '../../core/search';
import { invalidSearch } from './search-words';

/** The last record of a page. */
export interface SearchCursor {
  readonly score: string;
  readonly integration: string;
  readonly stream: string;
  readonly tie: string;
}

/** As it stands in `next`: with a mark of the search that it belongs to. */
export function writeCursor(request: SearchRequest, { score, integration, stream, tie }: SearchCursor): string {
  return Buffer.from(JSON.stringify([markOf(request), score, integration, stream, tie])).toString('base64url');
}

/** @throws Fault `config`/`invalid_search` for what is not from this search */
export function readCursor(request: SearchRequest, text: string): SearchCursor {
  const parts = partsOf(text);
  if (parts?.length !== 5 || !parts.every((part) => typeof part === 'string') || parts[0] !== markOf(request)) {
    throw invalidSearch(
      '`after` is not from this search',
      'Take it from `next` of the page before, of the same search.',
    );
  }
  const [, score = '', integration = '', stream = '', tie = ''] = parts as string[];
  if (!/^\d\.\d{6}$/.test(score) || tie.includes('\0')) {
    throw invalidSearch('`after` is not from this search', 'Take it from `next` of the page before.');
  }
  return { score, integration, stream, tie };
}

function partsOf(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function markOf({ text, integration, stream }: SearchRequest): string {
  const asked = JSON.stringify([text, integration ?? null, stream ?? null]);
  return createHash('sha256').update(asked).digest('base64url').slice(0, 12);
}
