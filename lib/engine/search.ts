import { Fault } from '../core/fault';
import type { IntegrationFields } from '../core/integration';
import { LONGEST_SEARCH, type SearchPlace, type SearchRequest, type SearchResult } from '../core/search';
import type { EngineContext } from './context';
import { listIntegrations, loadIntegration } from './integrations';
import { namespaceOf } from './planning';
import type { EnginePorts } from './ports';
import { searchableStreams } from './searchable';

/** See `Service.search`. */
export async function search(
  context: EngineContext,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchResult> {
  refuseText(request.text);
  const places = await placesOf(context, request);
  if (places.length === 0) return { hits: [], warnings: [nothingToSearch(request)] };
  const reader = await openSearch(context.ports);
  try {
    return await reader.search(request, places, signal);
  } finally {
    await reader.close();
  }
}

function openSearch(ports: EnginePorts) {
  if (ports.openSearch) return ports.openSearch({ log: ports.log });
  throw new Fault('config', 'no_search', 'searching: there is no search here');
}

function refuseText(text: string): void {
  const problem =
    text.trim() === ''
      ? 'there is nothing to look for'
      : text.length > LONGEST_SEARCH && `the text is longer than ${LONGEST_SEARCH} characters`;
  if (!problem) return;
  throw new Fault('config', 'invalid_search', `searching: ${problem}`, { hint: 'Give a few words.' });
}

/** Only integrations that exist, and streams that are to be searched by what their document says now. */
async function placesOf(context: EngineContext, { integration, stream }: SearchRequest): Promise<SearchPlace[]> {
  const stored =
    integration === undefined ? await listIntegrations(context) : [await loadIntegration(context, integration)];
  return stored.flatMap(({ key, value }) => {
    const fields = value.document as unknown as IntegrationFields;
    const streams = Object.keys(searchableStreams(fields)).filter((name) => stream === undefined || name === stream);
    return streams.length === 0 ? [] : [{ integration: key.sort, namespace: namespaceOf(fields), streams }];
  });
}

function nothingToSearch({ integration, stream }: SearchRequest): string {
  const where = `${stream === undefined ? 'no stream' : `no stream ${stream}`}${integration === undefined ? '' : ` of ${integration}`}`;
  return `${where} names fields for the search: add streams.NAME.search to a document and sync`;
}
