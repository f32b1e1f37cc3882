import { guardedNetwork } from '../../lib/network/guard';
import { type OpenSource, openSource } from '../contracts/open-source';
import { type HttpRequest, startBreakableHttp } from '../servers/breakable-http';
import { dynalite } from '../servers/dynalite';
import { type DynamodbProxy, startDynamodbProxy, type Wrong } from '../servers/dynamodb-proxy';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf, Filler, type Item } from './dynamodb';

const KEY = [['id', 'N']] as const;
const items = (count: number): Item[] => Array.from({ length: count }, (_, id) => ({ id: { N: String(id) } }));
/** STS, as it answers. */
async function standIn(answer: (request: HttpRequest) => readonly [status: number, body: string]) {
  const http = await startBreakableHttp((request, response) => {
    const [status, body] = answer(request);
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  return { url: http.url, [Symbol.asyncDispose]: () => http.down() };
}

const signal = () => AbortSignal.timeout(patient(20_000));

describeWithServer('DynamoDB that does not do what it should', dynalite(), (server) => {
  let proxy: DynamodbProxy;
  let filler: Filler;

  beforeAll(async () => {
    filler = new Filler(server());
    for (const name of ['first', 'second', 'third']) {
      await filler.table(name, KEY);
      await filler.put(name, items(30));
    }
  });
  beforeEach(async () => {
    proxy = await startDynamodbProxy(server());
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const open = (more: object = {}, connection: object = {}) => {
    const { connection: given } = configOf({ ...server(), url: proxy.url });
    return openSource('dynamodb', { connection: { ...given, ...connection }, ...more });
  };
  const on = (operation: string, table: string, name: Wrong, until = Number.POSITIVE_INFINITY) => {
    proxy.answer((call) =>
      call.operation === operation && call.table === table && call.count <= until ? name : undefined,
    );
  };
  const idsOf = async (source: OpenSource, table: string) => {
    const batches = await source.full(await source.schema(table));
    const rows = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
    return rows.map(([id]) => Number(id)).sort((left, right) => left - right);
  };

  it.each(['UnrecognizedClientException', 'InvalidSignatureException', 'ExpiredTokenException'])(
    '%s: the login is wrong',
    async (name) => {
      proxy.answer(() => name);
      await using source = await open();
      await expect(source.source.discover(signal())).rejects.toMatchObject({
        kind: 'config',
        code: 'authentication_failed',
        hint: expect.stringContaining('connection.secret_access_key'),
      });
      const { passed, steps } = await source.source.check(signal());
      expect(passed).toBe(false);
      expect(steps.find((step) => step.state === 'failed')).toMatchObject({
        name: 'authenticate',
        code: 'authentication_failed',
        hint: expect.any(String),
      });
      expect(steps.map(({ state }) => state)).toEqual(['passed', 'passed', 'passed', 'failed', 'skipped', 'skipped']);
    },
  );

  it.each(['DescribeTable', 'Scan'])(
    'a table without the right to %s is reported, the others are read',
    async (right) => {
      on(right, 'second', 'AccessDeniedException');
      await using source = await open();
      const infos = await source.source.discover(signal());
      expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
        ['first', undefined],
        ['second', 'permission_denied'],
        ['third', undefined],
      ]);
      expect(infos[1]?.unreadable).toMatchObject({ kind: 'config', hint: expect.stringContaining('dynamodb:Scan') });
      expect(await idsOf(source, 'third')).toHaveLength(30);
    },
  );

  it('needs no right to list tables where they are named', async () => {
    on('ListTables', '', 'AccessDeniedException');
    await using all = await open();
    await expect(all.source.discover(signal())).rejects.toMatchObject({ code: 'permission_denied' });
    await using named = await open({ tables: ['third', 'first', 'missing'] });
    const infos = await named.source.discover(signal());
    expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
      ['first', undefined],
      ['missing', 'table_missing'],
      ['third', undefined],
    ]);
    const { passed, steps } = await named.source.check(signal());
    expect(passed).toBe(true);
    expect(steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('not missing'),
    });
  });

  it('waits where it is throttled, and says so where that does not help', async () => {
    await using source = await open();
    const schema = await source.schema('first');
    on('Scan', 'first', 'ProvisionedThroughputExceededException', 3);
    expect((await source.full(schema)).flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []))).toHaveLength(30);
    on('Scan', 'first', 'ThrottlingException');
    await expect(source.full(schema)).rejects.toMatchObject({
      kind: 'transient',
      code: 'throttled',
      hint: expect.stringContaining('read_capacity_per_second'),
    });
  });

  it('asks for small pages where there is a budget, and for the newest items where that is wanted', async () => {
    await using plain = await open();
    await idsOf(plain, 'third');
    const { limit: none, consistent } = proxy.calls.at(-1) ?? {};
    expect([none, consistent]).toEqual([undefined, false]);
    await using careful = await open({ read_capacity_per_second: 100_000, consistent_read: true });
    expect(await idsOf(careful, 'third')).toHaveLength(30);
    expect(proxy.calls.at(-1)).toMatchObject({ limit: expect.any(Number), consistent: true });
  });

  it('tries again by itself what the network has lost, and says what it was', async () => {
    await using source = await open();
    const schema = await source.schema('first');
    const before = proxy.calls.length;
    proxy.answer(() => (proxy.calls.length <= before + 2 ? 'hang up' : undefined));
    expect(await idsOf(source, 'first')).toHaveLength(30);
    proxy.answer(() => 'hang up');
    await expect(source.full(schema)).rejects.toMatchObject({ kind: 'transient', code: 'connection_lost' });
    proxy.answer(() => 'InternalServerError');
    await expect(source.full(schema)).rejects.toMatchObject({ kind: 'transient', code: 'service_unavailable' });
  });

  it('does not wait for an answer for ever', async () => {
    await using source = await open({}, { request_timeout: '100ms' });
    proxy.answer(() => 'silence');
    await expect(source.source.discover(signal())).rejects.toMatchObject({ kind: 'transient', code: 'timeout' });
  });

  it('ends at an abort, whatever it waits for', async () => {
    await using source = await open();
    const schema = await source.schema('first');
    proxy.answer(({ operation }) => (operation === 'Scan' ? 'silence' : undefined));
    const controller = new AbortController();
    const reading = source.part(schema, null, { signal: controller.signal })[Symbol.asyncIterator]().next();
    setTimeout(() => controller.abort(), 50);
    await expect(reading).rejects.toMatchObject({ kind: 'transient', code: 'aborted' });
  });

  it('goes on after a lost connection from every batch, in another process as well', async () => {
    await using source = await open();
    const schema = await source.schema('first');
    const { parts, resumable } = await source.partitions(schema, { want: 2 });
    expect(resumable).toBe(true);
    const ids: number[] = [];
    for (const part of JSON.parse(JSON.stringify(parts))) {
      for (let from: object = {}, done = false; !done; ) {
        await using other = await open();
        const size = { rows: 4, bytes: 1 << 20 };
        const reader = other.part(schema, part, { size, ...from })[Symbol.asyncIterator]();
        const { value } = await reader.next();
        await reader.return?.();
        if (value?.kind === 'rows') ids.push(...value.rows.map(([id]: unknown[]) => Number(id)));
        done = value === undefined;
        from = { from: JSON.parse(JSON.stringify(value?.after ?? null)) };
      }
    }
    expect(ids.sort((left, right) => left - right)).toEqual(items(30).map(({ id }) => Number(id?.N)));
  });

  it('says that a table was dropped while it was read, or made anew', async () => {
    await filler.table('fleeting', KEY);
    await filler.put('fleeting', items(30));
    await using source = await open();
    const schema = await source.schema('fleeting');
    const { parts } = await source.partitions(schema);
    const size = { rows: 4, bytes: 1 << 20 };
    const reader = source.part(schema, parts[0] ?? null, { size })[Symbol.asyncIterator]();
    const { value: first } = await reader.next();
    await filler.drop('fleeting');
    const resume = () =>
      source
        .part(schema, parts[0] ?? null, { from: first?.after })
        [Symbol.asyncIterator]()
        .next();
    await expect(resume()).rejects.toMatchObject({ kind: 'config', code: 'table_missing' });
    await filler.table('fleeting', [['other', 'S']]);
    await expect(resume()).rejects.toMatchObject({ kind: 'lost', code: 'table_replaced' });
    await filler.drop('fleeting');
  });

  describe('with a role', () => {
    const ARN = 'arn:aws:iam::123456789012:role/reader';
    const key = (name: string, value: string) => `<${name}>${value}</${name}>`;
    const granted = (id: string, seconds: number) =>
      `<AssumeRoleResponse><AssumeRoleResult><Credentials>${key('AccessKeyId', id)}${key('SecretAccessKey', 'sec/ret+')}${key(
        'SessionToken',
        'token==',
      )}${key('Expiration', new Date(Date.now() + seconds * 1000).toISOString())}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
    const refused = (code: string) =>
      `<ErrorResponse><Error>${key('Code', code)}${key('Message', 'no')}</Error></ErrorResponse>`;

    it('signs as the role, and takes it on again when its credentials are about to end', async () => {
      let roles = 0;
      await using sts = await standIn(({ body, headers }) => {
        const parameters = Object.fromEntries(new URLSearchParams(body.toString()));
        expect(parameters).toMatchObject({ Action: 'AssumeRole', RoleArn: ARN, ExternalId: 'ours' });
        expect(headers.authorization).toMatch(/Credential=test\/\d+\/us-east-1\/sts\/aws4_request/);
        roles++;
        return [200, granted(`ROLE${roles}`, roles === 1 ? 10 : 3600)];
      });
      await using source = await open({}, { role: { arn: ARN, external_id: 'ours', endpoint: sts.url } });
      expect(await idsOf(source, 'first')).toHaveLength(30);
      expect([...new Set(proxy.calls.map(({ signer }) => signer))]).toEqual(['ROLE2']);
      expect(roles).toBe(2);
    });

    it.each([
      ['AccessDenied', 'role_refused'],
      ['InvalidClientTokenId', 'authentication_failed'],
    ])('says that it was not given: %s', async (code, expected) => {
      await using sts = await standIn(() => [403, refused(code)]);
      await using source = await open({}, { role: { arn: ARN, endpoint: sts.url } });
      const fault = { kind: 'config', code: expected, hint: expect.any(String) };
      await expect(source.source.discover(signal())).rejects.toMatchObject(fault);
      expect(proxy.calls).toEqual([]);
    });
  });

  it('obeys the rules of the network', async () => {
    const config = configOf(server());
    const ranges = guardedNetwork({ allowed_ip_ranges: ['10.0.0.0/8'] });
    const refused = { kind: 'config', code: 'address_refused', hint: expect.stringContaining('allowed_ip_ranges') };
    await using byAddress = await openSource('dynamodb', config, ranges);
    await expect(byAddress.source.discover(signal())).rejects.toMatchObject(refused);
    const { steps } = await byAddress.source.check(signal());
    expect(steps.find((step) => step.state === 'failed')).toMatchObject({ name: 'connect', code: 'address_refused' });
    const named = { connection: { ...config.connection, endpoint: server().url.replace('127.0.0.1', 'aws.test') } };
    const answering = (address: string) =>
      guardedNetwork({ allowed_ip_ranges: ['127.0.0.0/8'] }, (_host, _options, done) =>
        done(null, [{ address, family: 4 }]),
      );
    await using trap = await openSource('dynamodb', named, answering('169.254.169.254'));
    await expect(trap.source.discover(signal())).rejects.toMatchObject(refused);
    await using allowed = await openSource('dynamodb', named, answering('127.0.0.1'));
    expect(await allowed.source.discover(signal())).toHaveLength(3);
    await expect(openSource('dynamodb', config, guardedNetwork({ require_ssl: true }))).rejects.toMatchObject({
      code: 'invalid_config',
      issues: [{ path: 'connection.endpoint', message: expect.stringContaining('https://') }],
    });
  });

  afterAll(() => filler?.client.destroy());
});
