import type { StacksOptions } from '../lib/adapters/aws/stacks';
import { Fault, messageOf } from '../lib/core/fault';
import { STAGE_OUTPUTS, STAGE_PATTERN, stackName } from '../lib/infra/env';
import { CREDENTIALS_HINT } from './signed';

type Part = 'State' | 'Service';

/** The API of a deployed stage. */
export interface StageApi {
  readonly url: string;
  readonly region: string;
}

/**
 * Finds the API of a stage by the outputs of its stacks, in the account and the region of whoever calls.
 * @throws Fault `config` for a stage that is not there, `transient`/`stage_in_progress`
 */
export async function stageApi(stage: string, given?: StacksOptions): Promise<StageApi> {
  const options = given ?? (await callersOptions(stage));
  const url = await outputOf(stage, 'Service', STAGE_OUTPUTS.apiUrl, options);
  return { url: reachable(url, options.endpoint), region: options.region };
}

/** Finds the table that holds the state of a stage. */
export async function stageTable(stage: string, given?: StacksOptions): Promise<string> {
  return outputOf(stage, 'State', STAGE_OUTPUTS.tableName, given ?? (await callersOptions(stage)));
}

/** Region, credentials and endpoint as the AWS CLI finds them. */
async function callersOptions(stage: string): Promise<StacksOptions> {
  const { dynamoClient } = await import('../lib/adapters/aws/dynamo-client');
  const { config } = dynamoClient();
  const region = await config.region().catch((cause: unknown) => {
    throw new Fault('config', 'no_region', `looking for stage ${stage}: no AWS region is set`, {
      hint: 'Give the region that the stage is deployed to: AWS_REGION, or AWS_PROFILE of a profile that has one.',
      cause,
    });
  });
  await config.credentials().catch((cause: unknown) => {
    throw new Fault('config', 'no_credentials', `looking for stage ${stage}: ${messageOf(cause)}`, {
      hint: CREDENTIALS_HINT,
      cause,
    });
  });
  const endpoint = process.env.AWS_ENDPOINT_URL_CLOUDFORMATION ?? process.env.AWS_ENDPOINT_URL;
  return { region, credentials: config.credentials, ...(endpoint && { endpoint }) };
}

async function outputOf(stage: string, part: Part, output: string, options: StacksOptions): Promise<string> {
  const doing = `looking for stage ${stage} in ${options.region}`;
  if (!STAGE_PATTERN.test(stage)) {
    throw new Fault('config', 'invalid_stage', `${doing}: "${stage}" is not the name of a stage`, {
      hint: 'A stage has a name such as "dev": a-z, 0-9 and "-", at most 20, beginning with a letter.',
    });
  }
  const { describeStack } = await import('../lib/adapters/aws/stacks');
  const name = stackName(stage, part);
  const stack = await describeStack(name, options);
  if (stack === undefined) throw await noStage(doing, name, part, options);
  const value = stack.outputs[output];
  if (value !== undefined) return value;
  if (stack.status.endsWith('_IN_PROGRESS')) {
    throw new Fault('transient', 'stage_in_progress', `${doing}: stack ${name} is not ready (${stack.status})`, {
      hint: 'Wait for the end of the deployment and try again.',
    });
  }
  throw new Fault('config', 'stage_incomplete', `${doing}: stack ${name} (${stack.status}) has no output ${output}`, {
    hint: 'Deploy the stage again with this version: npx cdk deploy --all',
  });
}

/** Names the stages that are there, as far as one request tells them. */
async function noStage(doing: string, name: string, part: Part, options: StacksOptions): Promise<Fault> {
  const { firstStacks } = await import('../lib/adapters/aws/stacks');
  // Who may describe one stack only is told no more.
  const stacks = await firstStacks(options).catch((error: unknown) => {
    if (error instanceof Fault && error.code === 'permission_denied') return [];
    throw error;
  });
  const [before = '', after = ''] = stackName('*', part).split('*');
  const stages = stacks
    .filter((stack) => stack.name.startsWith(before) && stack.name.endsWith(after))
    .map((stack) => stack.name.slice(before.length, -after.length));
  const known = stages.length === 0 ? 'No stage was found there.' : `Stages there: ${stages.sort().join(', ')}.`;
  return new Fault('config', 'no_stage', `${doing}: there is no stack ${name}`, {
    hint: `${known} Check the name, AWS_REGION and the account of the credentials (AWS_PROFILE).`,
  });
}

const API_GATEWAY_HOST = /^([a-z0-9]+)\.execute-api\./;

/** An emulator of AWS serves what API Gateway would under a path of its own. */
function reachable(url: string, endpoint: string | undefined): string {
  const [, api] = API_GATEWAY_HOST.exec(new URL(url).hostname) ?? [];
  if (endpoint === undefined || api === undefined) return url;
  return new URL(`/_aws/execute-api/${api}/`, endpoint).href;
}
