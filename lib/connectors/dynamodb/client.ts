import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  ScanCommand,
  type ScanCommandInput,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { Fault } from '../../core/fault';
import { stoppable } from '../shared/aborted';
import { ruledAgent } from '../shared/http/agent';
import { type Provider, roleProvider } from './assume-role';
import { type Budget, openBudget } from './budget';
import type { Endpoint } from './endpoint';
import { keepCodes } from './keep-codes';
import { onServerTime } from './server-time';

/** An item, or a key, as it comes off the wire: numbers are text. */
export type Item = { readonly [attribute: string]: AttributeValue };

/** One answer of a scan. */
export interface Page {
  readonly items: readonly Item[];
  /** The key to go on behind; absent at the end. */
  readonly last?: Item;
}

const ATTEMPTS = 4;

/** Absent: the SDK finds those of the process. */
function credentialsOf(endpoint: Endpoint): Provider | undefined {
  const { keys, role } = endpoint;
  const own: Provider | undefined =
    keys &&
    (async () => ({
      accessKeyId: keys.id,
      secretAccessKey: keys.secret.reveal(),
      ...(keys.session && { sessionToken: keys.session.reveal() }),
    }));
  return role ? roleProvider(endpoint, role, own) : own;
}

/** The few requests that a source makes, none of which writes. */
export class DynamodbClient {
  readonly #client: DynamoDBClient;
  readonly #budget: Budget;
  #serverTime: number | undefined;

  /** The newest time that the service has told, in milliseconds since 1970; it tells whole seconds. */
  get serverTime(): number | undefined {
    return this.#serverTime;
  }

  constructor(endpoint: Endpoint, unitsPerSecond: number | undefined) {
    const { url, region, network, tls, connectTimeoutMs, requestTimeoutMs, maxConnections } = endpoint;
    const credentials = credentialsOf(endpoint);
    const agent = ruledAgent({ network, tls, maxConnections });
    this.#budget = openBudget(unitsPerSecond);
    this.#client = new DynamoDBClient({
      region,
      endpoint: url.href,
      ...(credentials && { credentials }),
      retryMode: 'standard',
      maxAttempts: ATTEMPTS,
      requestHandler: {
        httpAgent: agent,
        httpsAgent: agent as never,
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
      },
    });
    keepCodes(this.#client);
    onServerTime(this.#client, (time) => {
      this.#serverTime = Math.max(time, this.#serverTime ?? time);
    });
  }

  /** At most 100 names behind `after`. */
  async list(after: string | undefined, signal: AbortSignal) {
    const command = new ListTablesCommand({ ...(after !== undefined && { ExclusiveStartTableName: after }) });
    const answer = await stoppable(signal, () => this.#client.send(command, { abortSignal: signal }));
    return { names: answer.TableNames ?? [], last: answer.LastEvaluatedTableName };
  }

  async describe(table: string, signal: AbortSignal): Promise<TableDescription> {
    const command = new DescribeTableCommand({ TableName: table });
    const { Table } = await stoppable(signal, () => this.#client.send(command, { abortSignal: signal }));
    if (Table === undefined) throw new Fault('transient', 'empty_answer', `DynamoDB says nothing about ${table}`);
    return Table;
  }

  /** One page of a scan, once the budget allows it. */
  async scan(input: ScanCommandInput, signal: AbortSignal): Promise<Page> {
    const limit = await this.#budget.wait(input.TableName ?? '', signal);
    const most = Math.min(limit, input.Limit ?? Number.POSITIVE_INFINITY);
    const command = new ScanCommand({
      ...input,
      ReturnConsumedCapacity: 'TOTAL',
      ...(Number.isFinite(most) && { Limit: most }),
    });
    const answer = await stoppable(signal, () => this.#client.send(command, { abortSignal: signal }));
    const { Items = [], LastEvaluatedKey, ScannedCount = Items.length, ConsumedCapacity } = answer;
    this.#budget.spend(input.TableName ?? '', ConsumedCapacity?.CapacityUnits ?? 0, ScannedCount);
    return { items: Items, ...(LastEvaluatedKey && { last: LastEvaluatedKey }) };
  }

  close(): void {
    this.#client.destroy();
  }
}
