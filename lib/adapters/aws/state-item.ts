import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { StateItem, StateKey } from '../../core/ports';
import { ATTRIBUTES } from './table';

/** An item as DynamoDB gives it. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** The primary key of an item. */
export function keyOf({ partition, sort }: StateKey): Record<string, AttributeValue> {
  return { [ATTRIBUTES.partition]: { S: partition }, [ATTRIBUTES.sort]: { S: sort } };
}

/** A number as DynamoDB wants it. */
export function number(value: number): AttributeValue {
  return { N: String(value) };
}

/** Whether it has not expired. */
export function isLive(attributes: Attributes, now: number): boolean {
  const expiresAt = attributes[ATTRIBUTES.expiresAtMs]?.N;
  return expiresAt === undefined || Number(expiresAt) > now;
}

/** @throws Fault `bug`/`foreign_item` for what this program has not written */
export function itemOf(attributes: Attributes): StateItem {
  const partition = textOf(attributes, ATTRIBUTES.partition);
  const sort = textOf(attributes, ATTRIBUTES.sort);
  const value = JSON.parse(textOf(attributes, ATTRIBUTES.value)) as Json;
  return { partition, sort, revision: revisionOf(attributes), value };
}

/** @throws Fault `bug`/`foreign_item` when there is none */
export function revisionOf(attributes: Attributes): number {
  const revision = attributes[ATTRIBUTES.revision]?.N;
  return revision === undefined ? foreign(ATTRIBUTES.revision) : Number(revision);
}

function textOf(attributes: Attributes, name: string): string {
  return attributes[name]?.S ?? foreign(name);
}

function foreign(name: string): never {
  throw new Fault('bug', 'foreign_item', `an item of the table has no ${name}`, {
    hint: 'Something else writes into the table; it must be left to this program.',
  });
}
