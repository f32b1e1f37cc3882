import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { guarded } from '../../core/fault';
import { checkKey, checkKeyPart, encodeJson, LARGEST_ITEM } from '../../core/item-limits';
import type { Json } from '../../core/json';
import type { Clock, Expected, StateItem, StateKey, StateQuery, StateStore } from '../../core/ports';
import { classifyAws } from './faults';
import { Revisions } from './revisions';
import { type Attributes, isLive, itemOf, keyOf, number, revisionOf } from './state-item';
import { type Range, rangeOf } from './state-range';
import { ATTRIBUTES } from './table';

/** What the store stands on. The client retries in its own way (`standard` mode). */
export interface DynamoStateOptions {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
}

const LARGEST_PAGE = 1000;

const SET = 'SET #value = :value, #writeId = :writeId, #revision = if_not_exists(#revision, :fresh) + :one';
const UNTIL = `${SET}, #expiresAt = :expiresAt, #expiresAtMs = :expiresAtMs`;
const FOR_EVER = `${SET} REMOVE #expiresAt, #expiresAtMs`;
const IS_ABSENT = 'attribute_not_exists(#revision) OR #expiresAtMs <= :now';
const IS_EXPECTED = '#revision = :expected AND (attribute_not_exists(#expiresAtMs) OR #expiresAtMs > :now)';
const NAMES_EXPECTED = { '#revision': ATTRIBUTES.revision, '#expiresAtMs': ATTRIBUTES.expiresAtMs };
const NAMES_WRITTEN = {
  ...NAMES_EXPECTED,
  '#value': ATTRIBUTES.value,
  '#writeId': ATTRIBUTES.writeId,
  '#expiresAt': ATTRIBUTES.expiresAt,
};

/** State on one DynamoDB table. Reads are strongly consistent; a listing of several pages is no snapshot. */
export class DynamoStateStore implements StateStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #revisions: Revisions;

  constructor({ client, table, clock }: DynamoStateOptions) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
    this.#revisions = new Revisions(clock);
  }

  async get(key: StateKey): Promise<StateItem | undefined> {
    const doing = `reading state ${name(key)}`;
    checkKey(key, doing);
    return guarded(doing, classifyAws, async () => {
      const stored = await this.#read(key);
      return stored && isLive(stored, this.#clock.now()) ? this.#item(stored) : undefined;
    });
  }

  async put(
    key: StateKey,
    value: Json,
    expected: Expected | undefined,
    expiresAt?: number,
  ): Promise<number | undefined> {
    const doing = `writing state ${name(key)}`;
    checkKey(key, doing);
    const text = encodeJson(value, LARGEST_ITEM, doing);
    const writeId = randomUUID();
    const fresh = this.#revisions.fresh();
    const write = new UpdateItemCommand({
      TableName: this.#table,
      Key: keyOf(key),
      UpdateExpression: expiresAt === undefined ? FOR_EVER : UNTIL,
      ConditionExpression: typeof expected === 'number' ? IS_EXPECTED : expected && IS_ABSENT,
      ExpressionAttributeNames: NAMES_WRITTEN,
      ExpressionAttributeValues: {
        ':value': { S: text },
        ':writeId': { S: writeId },
        ':fresh': number(fresh),
        ':one': number(1),
        ...this.#conditionValues(expected),
        ...(expiresAt !== undefined && expiryValues(expiresAt)),
      },
      // The old ones, because a new item has none; the new ones would send the value back.
      ReturnValues: typeof expected === 'number' ? 'NONE' : 'UPDATED_OLD',
    });
    return guarded(doing, classifyAws, async () => {
      try {
        const { Attributes: before } = await this.#client.send(write);
        const base = typeof expected === 'number' ? expected : before && revisionOf(before);
        return this.#revisions.seen((base ?? fresh) + 1);
      } catch (error) {
        const stored = await this.#afterRefusal(error, key);
        return stored?.[ATTRIBUTES.writeId]?.S === writeId ? this.#revisions.seen(revisionOf(stored)) : undefined;
      }
    });
  }

  async query(partition: string, query: StateQuery = {}): Promise<readonly StateItem[]> {
    const doing = `listing state ${partition}`;
    checkKeyPart(partition, doing);
    const range = rangeOf(partition, query);
    return range === undefined ? [] : guarded(doing, classifyAws, () => this.#list(range, query));
  }

  async delete(key: StateKey, expected?: number): Promise<boolean> {
    const doing = `removing state ${name(key)}`;
    checkKey(key, doing);
    const remove = new DeleteItemCommand({
      TableName: this.#table,
      Key: keyOf(key),
      ...(expected !== undefined && {
        ConditionExpression: IS_EXPECTED,
        ExpressionAttributeNames: NAMES_EXPECTED,
        ExpressionAttributeValues: this.#conditionValues(expected),
      }),
    });
    return guarded(doing, classifyAws, async () => {
      try {
        await this.#client.send(remove);
        return true;
      } catch (error) {
        const wasSentOnce = attemptsOf(error) === 1;
        return (await this.#afterRefusal(error, key)) === undefined && !wasSentOnce;
      }
    });
  }

  #conditionValues(expected: Expected | undefined): Record<string, AttributeValue> {
    if (expected === undefined) return {};
    const now = { ':now': number(this.#clock.now()) };
    return expected === 'absent' ? now : { ...now, ':expected': number(expected) };
  }

  async #read(key: StateKey): Promise<Attributes | undefined> {
    const request = new GetItemCommand({ TableName: this.#table, Key: keyOf(key), ConsistentRead: true });
    return (await this.#client.send(request)).Item;
  }

  /**
   * What is stored, when the condition was refused to a request that was sent more than once: an earlier attempt may
   * have done it, and its answer was lost. Nothing when it was sent once; throws every other error.
   */
  async #afterRefusal(error: unknown, key: StateKey): Promise<Attributes | undefined> {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return attemptsOf(error) > 1 ? this.#read(key) : undefined;
  }

  async #list(range: Range, { limit, reverse = false }: StateQuery): Promise<readonly StateItem[]> {
    const items: StateItem[] = [];
    let { ExclusiveStartKey } = range;
    let pageSize = limit;
    do {
      const request = { ...range, TableName: this.#table, ConsistentRead: true, ScanIndexForward: !reverse };
      const page = await this.#client.send(new QueryCommand({ ...request, ExclusiveStartKey, Limit: pageSize }));
      const now = this.#clock.now();
      for (const found of page.Items ?? []) if (isLive(found, now)) items.push(this.#item(found));
      ExclusiveStartKey = page.LastEvaluatedKey;
      // A page counts expired items too; growing pages pass over many of them in few requests.
      pageSize &&= Math.min(2 * pageSize, LARGEST_PAGE);
    } while (ExclusiveStartKey !== undefined && items.length < (limit ?? Number.POSITIVE_INFINITY));
    return items.slice(0, limit);
  }

  #item(attributes: Attributes): StateItem {
    const item = itemOf(attributes);
    this.#revisions.seen(item.revision);
    return item;
  }
}

function attemptsOf(error: unknown): number {
  return (error as { readonly $metadata?: { readonly attempts?: number } }).$metadata?.attempts ?? 1;
}

function expiryValues(expiresAt: number): Record<string, AttributeValue> {
  return { ':expiresAt': number(Math.ceil(expiresAt / 1000)), ':expiresAtMs': number(expiresAt) };
}

function name({ partition, sort }: StateKey): string {
  return `${partition}/${sort}`;
}
