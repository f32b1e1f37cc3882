import type { QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { StateQuery } from '../../core/ports';
import { keyOf } from './state-item';
import { ATTRIBUTES } from './table';

/** The part of a `Query` that says which items, and from which on. */
export type Range = Pick<
  QueryCommandInput,
  'KeyConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues' | 'ExclusiveStartKey'
>;

// DynamoDB refuses a longer one, and no sort is longer.
const LONGEST_SORT = 1024;

/** The range of a query; `undefined` when nothing can be in it. DynamoDB takes one condition on the sort key, not two. */
export function rangeOf(partition: string, query: StateQuery): Range | undefined {
  const { prefix = '', after, limit = Number.POSITIVE_INFINITY, reverse = false } = query;
  if (limit <= 0 || Buffer.byteLength(prefix) > LONGEST_SORT) return undefined;
  if (after === undefined || (after === '' && !reverse)) return beginning(partition, prefix);
  if (after === '') return undefined;
  if (prefix === '') return condition(partition, reverse ? '#sort < :sort' : '#sort > :sort', after);
  // A place inside the prefix is where to go on; one outside has all of it ahead, or all of it behind.
  if (after.startsWith(prefix)) {
    return { ...beginning(partition, prefix), ExclusiveStartKey: keyOf({ partition, sort: after }) };
  }
  return compareBytes(after, prefix) < 0 === reverse ? undefined : beginning(partition, prefix);
}

function beginning(partition: string, prefix: string): Range {
  return prefix === '' ? condition(partition) : condition(partition, 'begins_with(#sort, :sort)', prefix);
}

function condition(partition: string, onSort?: string, sort = ''): Range {
  const { partition: partitionName, sort: sortName } = ATTRIBUTES;
  if (onSort === undefined) {
    return {
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': partitionName },
      ExpressionAttributeValues: { ':partition': { S: partition } },
    };
  }
  return {
    KeyConditionExpression: `#partition = :partition AND ${onSort}`,
    ExpressionAttributeNames: { '#partition': partitionName, '#sort': sortName },
    ExpressionAttributeValues: { ':partition': { S: partition }, ':sort': { S: sort } },
  };
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
