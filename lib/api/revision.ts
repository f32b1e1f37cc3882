import type { Context } from 'hono';
import { Fault } from '../core/fault';
import type { Service } from '../core/service';
import { refusal } from './problem';

/** The entity tag of a revision. */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/** The revision that `If-Match` asks for; `undefined` when any will do. */
export async function expectedRevision(c: Context, service: Service, id: string): Promise<number | undefined> {
  const header = c.req.header('if-match')?.trim();
  if (header === undefined || header === '*') return undefined;
  const tags = header.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
    const errors = [{ path: 'If-Match', message: 'expected an entity tag in quotes, as the ETag header gives it' }];
    throw refusal(c, 'invalid_parameter', 'reading the header If-Match: it is not an entity tag', { errors });
  }
  // A strong comparison: weak tags never match.
  const current = await service.get(id);
  if (tags.includes(entityTag(current.revision))) return current.revision;
  throw new Fault('config', 'revision_conflict', `changing integration ${id}: it has changed in the meantime`, {
    hint: 'Read the integration again, apply your change to what it says now, and send it with the new ETag.',
  });
}
