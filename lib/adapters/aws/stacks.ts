import { guarded } from '../../core/fault';
import { classifyAws } from './faults';
import { type Signer, signedHeaders } from './signed-request';
import { elementsAt, readXml, textAt, type XmlElement } from './xml';

/** Whom to ask for stacks. */
export interface StacksOptions extends Omit<Signer, 'service'> {
  /** In place of CloudFormation's own address of the region. */
  readonly endpoint?: string;
}

/** A stack of CloudFormation, as far as we ask for it. */
export interface Stack {
  readonly name: string;
  readonly status: string;
  readonly outputs: { readonly [key: string]: string };
}

const VERSION = '2010-05-15';
const TIMEOUT_MS = 20_000;

/**
 * Describes the stack of a name; `undefined` when there is none. CloudFormation's query API is spoken by hand: its own
 * client is as large as all of this command line.
 */
export async function describeStack(name: string, options: StacksOptions): Promise<Stack | undefined> {
  return guarded(`describing stack ${name} in ${options.region}`, classifyAws, async () => {
    const answer = await ask({ Action: 'DescribeStacks', StackName: name }, options);
    // CloudFormation has no other name for a stack that is not there.
    if (answer.status === 400 && errorCode(answer.xml) === 'ValidationError') return undefined;
    return stacksOf(accepted(answer)).find((stack) => stack.name === name);
  });
}

/** The stacks of the region, the first page of them. */
export async function firstStacks(options: StacksOptions): Promise<readonly Stack[]> {
  return guarded(`listing the stacks in ${options.region}`, classifyAws, async () =>
    stacksOf(accepted(await ask({ Action: 'DescribeStacks' }, options))),
  );
}

interface Answer {
  readonly status: number;
  readonly xml: XmlElement;
}

async function ask(query: { readonly [name: string]: string }, options: StacksOptions): Promise<Answer> {
  const { endpoint = addressOf(options.region) } = options;
  const url = new URL(endpoint);
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: `${new URLSearchParams({ ...query, Version: VERSION })}`,
  };
  const headers = await signedHeaders({ url, ...request }, { ...options, service: 'cloudformation' });
  const response = await fetch(url, { ...request, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  return { status: response.status, xml: readXml(await response.text()) };
}

function addressOf(region: string): string {
  return `https://cloudformation.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
}

/** The answer when it is none of an error, else an error as those of the SDK are. */
function accepted({ status, xml }: Answer): XmlElement {
  const [result] = elementsAt(xml, 'DescribeStacksResponse', 'DescribeStacksResult');
  if (status === 200 && result !== undefined) return result;
  const name = errorCode(xml) ?? 'UnexpectedAnswer';
  const message = textAt(xml, 'ErrorResponse', 'Error', 'Message') ?? `HTTP ${status} without an explanation`;
  throw Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status < 400 ? 502 : status } });
}

const errorCode = (xml: XmlElement) => textAt(xml, 'ErrorResponse', 'Error', 'Code');

function stacksOf(result: XmlElement): Stack[] {
  return elementsAt(result, 'Stacks', 'member').map((stack) => ({
    name: textAt(stack, 'StackName') ?? '',
    status: textAt(stack, 'StackStatus') ?? '',
    outputs: Object.fromEntries(
      elementsAt(stack, 'Outputs', 'member').map((output) => [
        textAt(output, 'OutputKey') ?? '',
        textAt(output, 'OutputValue') ?? '',
      ]),
    ),
  }));
}
