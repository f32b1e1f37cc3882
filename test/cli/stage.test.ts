import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stageApi, stageTable } from '../../bin/stage';
import { ministack } from '../servers/ministack';
import { describeWithServer } from '../servers/require';
import { commandLine } from './command-line';

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLEKEY' };
const API = 'https://abc123.execute-api.eu-central-1.amazonaws.com/';

interface Described {
  readonly name: string;
  readonly status?: string;
  readonly outputs?: { readonly [key: string]: string };
}

/** As CloudFormation writes it: lists within lists, indented, and names in an order of its own. */
function described(stacks: readonly Described[]): string {
  const members = stacks.map(({ name, status = 'CREATE_COMPLETE', outputs = {} }) => {
    const list = Object.entries(outputs).map(
      ([key, value]) => `<member>
            <Description>says &lt;OutputKey&gt;</Description>
            <OutputValue>${value.replaceAll('&', '&amp;')}</OutputValue>
            <OutputKey>${key}</OutputKey>
          </member>`,
    );
    return `<member>
        <Outputs>${list.join('\n')}</Outputs>
        <Capabilities><member>CAPABILITY_IAM</member></Capabilities>
        <NotificationARNs/>
        <Tags><member><Key>OutputKey</Key><Value>x</Value></member></Tags>
        <StackId>arn:aws:cloudformation:eu-central-1:1:stack/${name}/0</StackId>
        <StackName>${name}</StackName>
        <StackStatus>${status}</StackStatus>
      </member>`;
  });
  return `<?xml version="1.0"?><DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
    <DescribeStacksResult><Stacks>${members.join('\n')}</Stacks></DescribeStacksResult>
    <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>`;
}

const refused = (code: string, message: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

interface Asked {
  readonly query: URLSearchParams;
  readonly authorization: string;
}

describe('a deployed stage', () => {
  let server: Server;
  let answer: (query: URLSearchParams) => { readonly status?: number; readonly body: string };
  const asked: Asked[] = [];
  const options = () => ({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    credentials: CREDENTIALS,
  });

  async function bodyOf(request: IncomingMessage): Promise<string> {
    let body = '';
    for await (const chunk of request) body += chunk;
    return body;
  }

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const query = new URLSearchParams(await bodyOf(request));
      asked.push({ query, authorization: request.headers.authorization ?? '' });
      const { status = 200, body } = answer(query);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => asked.splice(0));
  afterAll(() => void server.close());

  const having = (...stacks: readonly Described[]) => {
    answer = (query) => {
      const name = query.get('StackName');
      if (name === null) return { body: described(stacks) };
      const found = stacks.filter((stack) => stack.name === name);
      if (found.length > 0) return { body: described(found) };
      return { status: 400, body: refused('ValidationError', `Stack with id ${name} does not exist`) };
    };
  };

  it('is found by the outputs of its stacks, with signed requests', async () => {
    having(
      { name: 'ExplorerIO-dev-Service', outputs: { Other: 'https://x/?a=1&b=2', ApiUrl: API } },
      { name: 'ExplorerIO-dev-State', outputs: { TableName: 'Table&1', AlertTopic: 'arn' } },
    );
    expect(await stageTable('dev', options())).toBe('Table&1');
    expect(await stageApi('dev', options())).toMatchObject({ region: 'eu-central-1' });
    expect(asked.map(({ query }) => Object.fromEntries(query))).toEqual([
      { Action: 'DescribeStacks', StackName: 'ExplorerIO-dev-State', Version: '2010-05-15' },
      { Action: 'DescribeStacks', StackName: 'ExplorerIO-dev-Service', Version: '2010-05-15' },
    ]);
    for (const { authorization } of asked) {
      expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/cloudformation\//);
      expect(authorization).not.toContain(CREDENTIALS.secretAccessKey);
    }
  });

  it('is reached below an emulator, where there is one', async () => {
    having({ name: 'ExplorerIO-dev-Service', outputs: { ApiUrl: API } });
    const { url } = await stageApi('dev', options());
    expect(url).toBe(`${options().endpoint}/_aws/execute-api/abc123/`);
  });

  it('is told among those that are there, when there is none of the name', async () => {
    having({ name: 'ExplorerIO-prod-Service' }, { name: 'ExplorerIO-dev-Service' }, { name: 'ExplorerIO-dev-State' });
    await expect(stageApi('tset', options())).rejects.toMatchObject({
      kind: 'config',
      code: 'no_stage',
      message: 'looking for stage tset in eu-central-1: there is no stack ExplorerIO-tset-Service',
      hint: expect.stringContaining('Stages there: dev, prod.'),
    });
    having();
    await expect(stageTable('tset', options())).rejects.toMatchObject({
      hint: expect.stringContaining('No stage was found there.'),
    });
  });

  it('has to be whole', async () => {
    having({ name: 'ExplorerIO-dev-Service', status: 'CREATE_IN_PROGRESS' });
    await expect(stageApi('dev', options())).rejects.toMatchObject({
      kind: 'transient',
      code: 'stage_in_progress',
      message: expect.stringContaining('CREATE_IN_PROGRESS'),
    });
    having({ name: 'ExplorerIO-dev-Service', status: 'ROLLBACK_COMPLETE' });
    await expect(stageApi('dev', options())).rejects.toMatchObject({ kind: 'config', code: 'stage_incomplete' });
    // An update does not take away what was there before it.
    having({ name: 'ExplorerIO-dev-Service', status: 'UPDATE_IN_PROGRESS', outputs: { ApiUrl: API } });
    await expect(stageApi('dev', options())).resolves.toMatchObject({ region: 'eu-central-1' });
  });

  it.each([
    [403, refused('AccessDenied', 'not authorized'), 'config', 'permission_denied'],
    [403, refused('ExpiredToken', 'expired'), 'transient', 'credentials_expired'],
    [403, refused('InvalidClientTokenId', 'who?'), 'config', 'credentials_invalid'],
    [400, refused('Throttling', 'Rate exceeded'), 'transient', 'throttled'],
    [503, 'busy', 'transient', 'service_unavailable'],
    [200, '<html>a proxy</html>', 'transient', 'service_unavailable'],
  ])('says what AWS answered: %s %s', async (status, body, kind, code) => {
    answer = () => ({ status, body });
    await expect(stageApi('dev', options())).rejects.toMatchObject({
      kind,
      code,
      message: expect.stringMatching(/^describing stack ExplorerIO-dev-Service in eu-central-1: /),
    });
  });

  it('is named although only its own stacks may be described', async () => {
    answer = (query) =>
      query.has('StackName')
        ? { status: 400, body: refused('ValidationError', 'does not exist') }
        : { status: 403, body: refused('AccessDenied', 'not authorized') };
    await expect(stageApi('dev', options())).rejects.toMatchObject({ code: 'no_stage' });
  });

  it.each(['', 'Dev', 'dev/../x', '-a', 'a'.repeat(21)])('cannot be called %j', async (stage) => {
    await expect(stageApi(stage, options())).rejects.toMatchObject({ kind: 'config', code: 'invalid_stage' });
    expect(asked).toEqual([]);
  });

  it('cannot be given beside a table', async () => {
    const words = ['--stage', 'dev', 'state', 'export', '/nowhere', '--table', 'x'];
    const { code, err } = await commandLine(words);
    expect(err).toContain('both --stage and --table');
    expect(code).not.toBe(0);
  });
});

describeWithServer('a stage in an emulated CloudFormation', ministack(), (cloud) => {
  const options = () => ({ endpoint: cloud().url, region: cloud().region, credentials: cloud().credentials });

  it('is found by its outputs; one that is not there is not', async () => {
    const template = {
      Resources: { Table: { Type: 'AWS::SQS::Queue' } },
      Outputs: { ApiUrl: { Value: API, Description: 'a < b & c' }, TableName: { Value: 'State' } },
    };
    for (const part of ['Service', 'State']) {
      const query = {
        Action: 'CreateStack',
        Version: '2010-05-15',
        StackName: `ExplorerIO-dev-${part}`,
        TemplateBody: JSON.stringify(template),
      };
      const headers = {
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${cloud().region}/cloudformation/aws4_request, SignedHeaders=host, Signature=0`,
      };
      const made = await fetch(cloud().url, { method: 'POST', headers, body: new URLSearchParams(query) });
      expect([made.status, await made.text()]).toEqual([200, expect.stringContaining('StackId')]);
    }
    const found = async () => stageApi('dev', options()).catch((error: unknown) => String(error));
    for (let tries = 0; tries < 50 && typeof (await found()) === 'string'; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await found()).toEqual({ url: `${cloud().url}/_aws/execute-api/abc123/`, region: cloud().region });
    expect(await stageTable('dev', options())).toBe('State');
    await expect(stageApi('prod', options())).rejects.toMatchObject({
      code: 'no_stage',
      hint: expect.stringContaining('Stages there: dev.'),
    });
  }, 30_000);
});
