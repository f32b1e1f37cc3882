import type { Ministack } from '../servers/ministack';

type Account = Pick<Ministack, 'url' | 'region' | 'credentials'>;

/** A request of a service that no client library of ours speaks. The emulator looks at the service of the credential only. */
interface Raw {
  readonly service: string;
  readonly path?: string;
  /** A query of the older services; sent as a form. */
  readonly query?: Readonly<Record<string, string>>;
  /** The operation of the JSON services. */
  readonly target?: string;
  readonly body?: string;
  readonly method?: string;
}

/** Sends it; gives the text of the answer. */
export async function rawRequest(account: Account, raw: Raw): Promise<string> {
  const { service, path = '/', query, target, method } = raw;
  const body =
    query === undefined ? (raw.body ?? (target === undefined ? undefined : '{}')) : `${new URLSearchParams(query)}`;
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const scope = `${account.credentials.accessKeyId}/${day}/${account.region}/${service}/aws4_request`;
  const response = await fetch(`${account.url}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      ...(query && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(target !== undefined && { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }),
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${service} ${target ?? path}: ${response.status} ${text}`);
  return text;
}

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((found) => found[1] ?? '');
const inXml = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`, 'g');
const inJson = (name: string) => new RegExp(`"${name}":\\s*"([^"]+)"`, 'g');

/** How to list each kind of thing that a stage is made of, and where its names stand in the answer. */
const KINDS: Readonly<Record<string, Raw & { readonly names: RegExp }>> = {
  stack: { service: 'cloudformation', query: { Action: 'DescribeStacks' }, names: inXml('StackName') },
  bucket: { service: 's3', names: inXml('Name') },
  table: { service: 'dynamodb', target: 'DynamoDB_20120810.ListTables', names: /"([^"]+)"(?=[,\]])/g },
  queue: { service: 'sqs', query: { Action: 'ListQueues' }, names: inXml('QueueUrl') },
  topic: { service: 'sns', query: { Action: 'ListTopics' }, names: inXml('TopicArn') },
  secret: { service: 'secretsmanager', target: 'secretsmanager.ListSecrets', names: inJson('Name') },
  function: { service: 'lambda', path: '/2015-03-31/functions', names: inJson('FunctionName') },
  trigger: { service: 'lambda', path: '/2015-03-31/event-source-mappings', names: inJson('UUID') },
  log: { service: 'logs', target: 'Logs_20140328.DescribeLogGroups', names: inJson('logGroupName') },
  role: { service: 'iam', query: { Action: 'ListRoles' }, names: inXml('RoleName') },
  api: { service: 'apigateway', path: '/v2/apis', names: inJson('apiId') },
  schedule: { service: 'scheduler', path: '/schedules', names: inJson('Name') },
  'schedule group': { service: 'scheduler', path: '/schedule-groups', names: inJson('Name') },
  rule: { service: 'events', target: 'AWSEvents.ListRules', names: inJson('Name') },
  alarm: { service: 'monitoring', query: { Action: 'DescribeAlarms' }, names: inXml('AlarmName') },
  dashboard: { service: 'monitoring', query: { Action: 'ListDashboards' }, names: inXml('DashboardName') },
};

/** The kinds that are looked for. */
export const LISTED = Object.keys(KINDS);

/** All that is in an account, or all of one kind, as `kind name`, sorted. */
export async function inAccount(account: Account, only?: string): Promise<string[]> {
  const kinds = Object.entries(KINDS).filter(([kind]) => only === undefined || kind === only);
  const found = kinds.map(async ([kind, { names, ...raw }]) =>
    all(await rawRequest(account, raw), names).map((name) => `${kind} ${name}`),
  );
  return [...new Set((await Promise.all(found)).flat())].sort();
}
