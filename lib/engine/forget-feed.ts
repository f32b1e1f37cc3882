import { toFault } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import { wantedMode } from '../core/sync-mode';
import type { EngineContext } from './context';
import { openSource } from './sessions';

const PATIENCE_MS = 15_000;

/**
 * Removes what was made in the source to follow its changes, when nobody will follow them any more: the source would keep
 * its log for them without end. A source that cannot be reached does not stand in the way; that is logged.
 */
export async function forgetFeed(context: EngineContext, document: IntegrationDocument): Promise<void> {
  if (wantedMode(document) !== 'changes') return;
  const { log } = context.ports;
  const integration = String(document.name);
  try {
    const source = await openSource(context.ports, document);
    try {
      await source.feed?.forget?.(AbortSignal.timeout(PATIENCE_MS));
    } finally {
      await source.close();
    }
  } catch (error) {
    const fault = toFault(error, `ending the changes of ${integration}`);
    const hint = 'Remove it there by hand: in PostgreSQL a replication slot and a publication, named explorerio_...';
    log.error('what the source keeps to follow its changes is still there', {
      integration,
      fault: fault.message,
      hint,
    });
  }
}
