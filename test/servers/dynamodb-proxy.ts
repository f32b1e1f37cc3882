import { type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type BreakableHttp, startBreakableHttp } from './breakable-http';
import type { Dynalite } from './dynalite';

/** A request of the protocol. */
export interface Call {
  readonly operation: string;
  readonly table: string;
  /** Of a scan: where it goes on. */
  readonly start: unknown;
  readonly limit: number | undefined;
  readonly consistent: boolean;
  /** Whose signature it bears. */
  readonly signer: string;
  /** How many such calls there were, this one included. */
  readonly count: number;
}

/** What to answer in place of the emulator: an error by its name, or no answer at all. */
export type Wrong = string | 'hang up' | 'silence' | undefined;

/** Stands between a source and the emulator, which knows neither rights nor throttling. */
export interface DynamodbProxy extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly Call[];
  /** What happens to calls from now on. */
  answer(wrong: (call: Call) => Wrong): void;
}

/** Starts one in front of an emulator. */
export async function startDynamodbProxy({ url }: Dynalite): Promise<DynamodbProxy> {
  const calls: Call[] = [];
  let wrong: (call: Call) => Wrong = () => undefined;
  const http: BreakableHttp = await startBreakableHttp(async ({ headers, body }, response) => {
    const call = callOf(headers, body, calls);
    calls.push(call);
    const name = wrong(call);
    if (name === 'silence') return;
    if (name === 'hang up') return void response.socket?.destroy();
    if (name !== undefined) {
      const type = `com.amazonaws.dynamodb.v20120810#${name}`;
      const status = name === 'InternalServerError' ? 500 : 400;
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: type, message: `as AWS says for ${name}` }));
      return;
    }
    const { status, content, type } = await forward(url, headers as Record<string, string>, body);
    response.writeHead(status, { 'content-type': type }).end(content);
  });
  return {
    url: http.url,
    calls,
    answer(next) {
      wrong = next;
    },
    [Symbol.asyncDispose]: () => http.down(),
  };
}

function callOf(headers: IncomingHttpHeaders, body: Buffer, calls: readonly Call[]): Call {
  const operation = String(headers['x-amz-target']).replace(/^.*\./, '');
  const {
    TableName: table = '',
    ExclusiveStartKey: start,
    Limit: limit,
    ConsistentRead: consistent = false,
  } = JSON.parse(body.toString());
  const count = calls.filter((call) => call.operation === operation && call.table === table).length + 1;
  const signer = /Credential=([^/]*)/.exec(String(headers.authorization))?.[1] ?? '';
  return { operation, table, start, limit, consistent, signer, count };
}

function forward(url: string, headers: Record<string, string>, body: Buffer) {
  return new Promise<{ status: number; type: string; content: Buffer }>((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers, agent: false }, async (answer) => {
      const content = await buffer(answer);
      resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', content });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
