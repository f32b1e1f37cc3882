import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { AwsSecrets } from '../../../lib/adapters/aws/secrets';
import type { Fault } from '../../../lib/core/fault';
import { systemClock } from '../../../lib/core/system-clock';
import { describeSecrets } from '../../contracts/secrets';
import { ManualClock } from '../../memory/clock';
import { ministack } from '../../servers/ministack';
import { describeWithServer } from '../../servers/require';

describeWithServer('Secrets Manager', ministack(), (server) => {
  let client: SecretsManagerClient;
  beforeAll(() => {
    const { url, region, credentials } = server();
    client = new SecretsManagerClient({ endpoint: url, region, credentials });
  });
  afterAll(() => client?.destroy());

  const newPrefix = () => `explorerio/${randomUUID()}/`;
  const create = (id: string, value: string) => client.send(new CreateSecretCommand({ Name: id, SecretString: value }));
  const put = (id: string, value: string, stage?: string) =>
    client.send(
      new PutSecretValueCommand({ SecretId: id, SecretString: value, ...(stage && { VersionStages: [stage] }) }),
    );

  describeSecrets('Secrets Manager', async (values) => {
    const prefix = newPrefix();
    for (const [name, value] of Object.entries(values)) await create(`${prefix}${name}`, value);
    const secrets = new AwsSecrets({ client, prefix, clock: systemClock });
    return {
      secrets,
      change: async (name, value) => void (await put(`${prefix}${name}`, value)),
      close: async () => undefined,
    };
  });

  it('tells the age of a secret without reading its value', async () => {
    const prefix = newPrefix();
    const secrets = new AwsSecrets({ client, prefix, clock: systemClock });
    await create(`${prefix}A`, 'first');
    const about = await secrets.about('A');
    expect(about).toEqual({ store: 'secrets_manager', changedAt: expect.any(Number) });
    expect(Math.abs((about?.changedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await secrets.about('not a name')).toBeUndefined();
    await client.send(new DeleteSecretCommand({ SecretId: `${prefix}A`, RecoveryWindowInDays: 7 }));
    expect(await secrets.about('A')).toBeUndefined();
  });

  it('asks again after five minutes, or when it was told to', async () => {
    const prefix = newPrefix();
    const clock = new ManualClock();
    const secrets = new AwsSecrets({ client, prefix, clock });
    const value = async () => (await secrets.get('A'))?.reveal();
    expect(await value()).toBeUndefined();
    await create(`${prefix}A`, 'first');
    expect(await value()).toBe('first');
    await put(`${prefix}A`, 'second');
    await clock.advance(5 * 60_000 - 1);
    expect(await value()).toBe('first');
    await clock.advance(1);
    expect(await value()).toBe('second');
    await put(`${prefix}A`, 'third');
    expect(await value()).toBe('second');
    secrets.refresh('A');
    expect(await value()).toBe('third');
  });

  it('gives the value that is not yet current, if there is one', async () => {
    const prefix = newPrefix();
    const secrets = new AwsSecrets({ client, prefix, clock: systemClock });
    expect(await secrets.pending('A')).toBeUndefined();
    await create(`${prefix}A`, 'current');
    expect(await secrets.pending('A')).toBeUndefined();
    await put(`${prefix}A`, 'next', 'AWSPENDING');
    expect((await secrets.pending('A'))?.reveal()).toBe('next');
    expect((await secrets.get('A'))?.reveal()).toBe('current');
  });

  it.each([
    ['with a space', 'a b'],
    ['with an umlaut', 'ä'],
    ['with a colon', 'a:b'],
    ['with NUL', '\0'],
    ['that is too long', 'x'.repeat(513)],
  ])('has none of a name %s, which cannot exist', async (_what, name) => {
    expect(await new AwsSecrets({ client, prefix: newPrefix(), clock: systemClock }).get(name)).toBeUndefined();
  });

  it('says that a secret is marked for deletion, or is no text', async () => {
    const prefix = newPrefix();
    const secrets = new AwsSecrets({ client, prefix, clock: systemClock });
    await create(`${prefix}A`, 'value');
    await client.send(new DeleteSecretCommand({ SecretId: `${prefix}A` }));
    await expect(secrets.get('A')).rejects.toMatchObject({
      kind: 'config',
      code: 'secret_deleted',
      hint: expect.stringContaining(`restore-secret --secret-id ${prefix}A`),
    });
    await client.send(new CreateSecretCommand({ Name: `${prefix}B`, SecretBinary: Buffer.from('bytes') }));
    await expect(secrets.get('B')).rejects.toMatchObject({ kind: 'config', code: 'secret_not_text' });
  });
});

describe('answers of Secrets Manager', () => {
  type Respond = (request: number) => { readonly status: number; readonly body: string };
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function answering(respond: Respond, options: { readonly ttlMs?: number; readonly hint?: string } = {}) {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume();
      const { status, body } = respond(++requests);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const client = new SecretsManagerClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    closing.push(() => {
      client.destroy();
      server.close();
    });
    const secrets = new AwsSecrets({ client, prefix: 'explorerio/dev/', clock: new ManualClock(), ...options });
    return { secrets, count: () => requests };
  }

  const value = (text: string) => ({ status: 200, body: JSON.stringify({ SecretString: text }) });

  it('are shared by those who ask at the same time', async () => {
    const { secrets, count } = await answering((request) => value(`v${request}`));
    const found = await Promise.all(['A', 'A', 'B', 'A'].map((name) => secrets.get(name)));
    expect(new Set(found.map((secret) => secret?.reveal()))).toEqual(new Set(['v1', 'v2']));
    expect(count()).toBe(2);
  });

  it('are not kept when they are errors or kept off', async () => {
    const failing = await answering((request) => (request === 1 ? { status: 500, body: '{}' } : value('ok')));
    await expect(failing.secrets.get('A')).rejects.toMatchObject({ kind: 'transient' });
    expect((await failing.secrets.get('A'))?.reveal()).toBe('ok');
    const uncached = await answering((request) => value(`v${request}`), { ttlMs: 0 });
    await uncached.secrets.get('A');
    expect((await uncached.secrets.get('A'))?.reveal()).toBe('v2');
  });

  it('that come after a refresh are not kept for what was asked before it', async () => {
    const { secrets } = await answering((request) => value(`v${request}`));
    const before = secrets.get('A');
    secrets.refresh('A');
    await before;
    expect((await secrets.get('A'))?.reveal()).toBe('v2');
  });

  it('that refuse name the secret and the right that is needed', async () => {
    const body = JSON.stringify({ __type: 'AccessDeniedException', message: 'User: arn:… is not authorized' });
    const { secrets } = await answering(() => ({ status: 400, body }));
    await expect(secrets.get('DB')).rejects.toMatchObject({
      kind: 'config',
      code: 'permission_denied',
      message: expect.stringMatching(/^reading secret explorerio\/dev\/DB: /),
      hint: expect.stringMatching(/secretsmanager:GetSecretValue on the secret explorerio\/dev\/DB/),
    });
  });

  it('that refuse say what would give the right, where somebody knows', async () => {
    const body = JSON.stringify({ __type: 'AccessDeniedException', message: 'User: arn:… is not authorized' });
    const hint = 'Give the secret the tag explorerio:postgresql = true.';
    const { secrets } = await answering(() => ({ status: 400, body }), { hint });
    await expect(secrets.get('DB')).rejects.toMatchObject({
      code: 'permission_denied',
      hint: expect.stringMatching(/^Give the secret the tag explorerio:postgresql = true\. Allow kms:Decrypt/),
    });
  });

  it.each([
    ['cut off', '{"SecretString":"hunter2'],
    ['no JSON', 'hunter2'],
  ])('that are %s show nothing of the value', async (_what, body) => {
    const { secrets } = await answering(() => ({ status: 200, body }));
    const fault = await secrets.get('DB').then(
      () => undefined,
      (error: Fault) => error,
    );
    expect(fault).toMatchObject({ kind: 'transient', code: 'answer_unreadable' });
    expect(inspect(fault, { depth: 10, showHidden: true })).not.toContain('hunter2');
  });
});
