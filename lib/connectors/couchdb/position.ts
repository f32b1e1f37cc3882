import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import type { Database } from './databases';

const FORMAT = 1;

/** After all documents of a full read. */
export const DONE: Position = { format: FORMAT, value: { done: true } };

/** Where a full read goes on: behind the id of a document. */
export interface Place {
  readonly done?: boolean;
  readonly id?: string;
}

/** The position behind a document of a full read. */
export function behind(id: string): Position {
  return { format: FORMAT, value: { id } };
}

/** Where `from` is in a full read. */
export function placeOf(from: Position | undefined): Place {
  return (from?.value ?? {}) as Place;
}

/** Where an increment begins. */
export interface Since {
  readonly since: string;
  readonly instance: string;
}

/** The position at a sequence of a database. */
export function sincePosition(since: string, instance: string): Position {
  return { format: FORMAT, value: { since, instance } };
}

/** Where `from` is in the changes of a database. @throws Fault `lost` where it is of another database */
export function sinceOf(from: Position | undefined, database: Database): Since {
  if (from === undefined) return { since: '0', instance: database.instance };
  const { since, instance } = from.value as unknown as Since;
  checkInstance(instance, database);
  // Sequences are opaque, but begin with the number of changes so far.
  if (countOf(since) > countOf(database.sequence)) throw replaced(database.name);
  return { since, instance };
}

/** How many changes a sequence has behind it; not a number where it does not say. */
export function countOf(sequence: string): number {
  return Number.parseInt(sequence, 10);
}

/** @throws Fault `lost` where the database is not the one that was planned */
export function checkInstance(instance: string, database: Database): void {
  if (instance !== '' && database.instance !== '' && instance !== database.instance) throw replaced(database.name);
}

/** The fault of a database whose changes are not those that were read before. */
export function replaced(name: string, cause?: unknown): Fault {
  return new Fault('lost', 'sequence_lost', `${name} does not know the sequence that was reached: it was made again`, {
    hint: 'A full read begins anew by itself.',
    cause,
  });
}
