import type { Context } from 'hono';
import { Fault } from '../../core/fault';
import type { Integration, Service } from '../../core/service';
import { pathParameter } from '../answer';
import { isObject, readDocument } from '../body';
import { refuseOtherName } from '../documents';
import { mergePatch } from '../merge-patch';
import { expectedRevision } from '../revision';

const ATTEMPTS = 5;

/** Applies the merge patch in the body. Without `If-Match` a change by somebody else in between is patched too. */
export async function patchIntegration(c: Context, service: Service): Promise<Integration> {
  const id = pathParameter(c, 'id');
  const patch = await readDocument(c, ['application/merge-patch+json', 'application/json']);
  const expected = await expectedRevision(c, service, id);
  for (let attempt = 1; ; attempt++) {
    const stored = await service.get(id);
    const document = mergePatch(stored.document, patch);
    if (isObject(document)) refuseOtherName(document, id);
    try {
      return await service.update(id, document, expected ?? stored.revision);
    } catch (error) {
      const again = expected === undefined && attempt < ATTEMPTS;
      if (!again || !(error instanceof Fault) || error.code !== 'revision_conflict') throw error;
    }
  }
}
