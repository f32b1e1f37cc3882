import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../bin/client';
import { type Home, openHome } from '../../bin/embedded';
import { EncryptedFile } from '../../lib/adapters/embedded/encrypted-file';
import { createLogger } from '../../lib/adapters/embedded/log';
import type { Json } from '../../lib/core/json';
import { Redactor, Secret } from '../../lib/core/secret';
import { SIGNATURE_HEADER, signWebhook } from '../../lib/core/webhook-signature';
import { commandLine } from '../cli/command-line';
import { type BreakableHttp, startBreakableHttp } from '../servers/breakable-http';
import { patient } from '../servers/patience';
import { freePort } from '../servers/port';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CANARIES, leaksIn, leaksInFiles } from './canary-forms';
import { connect, type Databases, makeDatabases, temporaryFolder } from './home';

const { password, digits, token, part, encryptionKey, hmacKey, webhookSecret, pem } = CANARIES;
// Their purpose is to hold secrets: they are the owner's own files, or for the owner alone.
const OF_PURPOSE = ['.env', 'state.key'];
const LONGEST_RUN_MS = patient(60_000);
// What cannot be reached is tried again for a long time.
const PATIENCE_MS = 3000;
const MOST_SHOWN = 5;

type Document = { readonly [key: string]: Json };

/** Everything that came out of the program. */
class Outputs {
  #seen = 0;
  readonly texts: { readonly where: string; readonly text: string }[] = [];

  add(where: string, text: string): void {
    this.texts.push({ where, text });
  }

  /** Where something shows in what came out since the last call. */
  leaks(): string[] {
    const fresh = this.texts.slice(this.#seen);
    this.#seen = this.texts.length;
    return fresh.flatMap(({ where, text }) => leaksIn(text).map((leak) => `${where}: ${leak}`)).slice(0, MOST_SHOWN);
  }
}

describeWithServer('secrets on every way that fails', postgresql({ version: 15, tls: true }), (server) => {
  const outputs = new Outputs();
  let databases: Databases;
  let receiver: BreakableHttp;
  let closedPort = 0;
  let home: Home;
  const folder = temporaryFolder();
  const redactor = new Redactor();
  let logged = '';
  const log = createLogger({ level: 'debug', redactor, output: { write: (line) => (logged += line) } });

  const open = async (destinationUrl: string) => {
    const opened = await openHome({
      dataFolder: folder,
      destinationUrl,
      env: { EXPLORERIO_WEBHOOK_URL: receiver.url, EXPLORERIO_WEBHOOK_SECRET: webhookSecret },
      log,
      redactor,
    });
    await opened.startWork();
    opened.startSchedules();
    opened.startNotifications();
    return opened;
  };

  beforeAll(async () => {
    databases = await makeDatabases(server());
    const { source } = databases;
    const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
    await source.query(`create schema shop; set standard_conforming_strings = on;
      create role canary login password ${literal(digits)}; grant usage on schema shop to canary;
      create table shop.notes (id int primary key, v text);
      insert into shop.notes values (1, ${literal(digits)}), (2, ${literal(password)}), (3, ${literal(token)});
      create table shop.plain (id int primary key, v text);
      insert into shop.plain select g, 'row ' || g from generate_series(1, 9) g;
      create view shop.quoting as select id, v::int as n from shop.notes;
      grant select on all tables in schema shop to canary`);
    receiver = await startBreakableHttp((_request, response) => void response.writeHead(200).end('ok'));
    closedPort = await freePort();
    writeFileSync(
      join(folder, '.env'),
      `PASSWORD=\`${password}\`\nDIGITS=${digits}\nTOKEN=${token}\nPART=${part}\nHOOK=${webhookSecret}\nENCRYPTION_KEY="${encryptionKey}"\n`,
    );
    await new EncryptedFile({
      path: join(folder, 'own.enc'),
      key: async () => new Secret(encryptionKey),
      keyName: 'ENCRYPTION_KEY',
      required: false,
      clock: { now: () => 0 },
      warn: () => undefined,
    }).set('FROM_FILE', new Secret(token));
    home = await open(databases.targetUrl);
  });
  afterAll(async () => {
    await home?.stop();
    await receiver?.down();
    await databases?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function call(method: string, path: string, body?: unknown): Promise<string> {
    const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body);
    const headers = { 'Content-Type': 'application/json', Host: '127.0.0.1' };
    const response = await home.app.request(path, { method, headers, ...(text !== undefined && { body: text }) });
    const answer = await response.text();
    outputs.add(`${method} ${path}`, answer);
    return answer;
  }

  async function cli(...args: string[]): Promise<void> {
    const client = createClient(async (path, init) => home.app.request(path, init));
    const connection = { client, close: async () => undefined };
    const { out, err } = await commandLine(args, { connection, signal: AbortSignal.timeout(PATIENCE_MS) });
    outputs.add(`explorerio ${args.join(' ')}`, out + err);
  }

  /** Sends a document on every way, and looks at what is stored of it. */
  async function tried(document: Document): Promise<void> {
    const name = String(document.name);
    await call('POST', '/api/validate', document);
    await call('POST', '/api/check', document);
    await call('POST', '/api/discover', document);
    await call('POST', '/api/plan', document);
    await call('POST', '/api/integrations', document);
    await cli('sync', name);
    const path = `/api/integrations/${name}`;
    for (const end of ['', '/status', '/runs', '/plan', '/streams', '/quarantine']) await call('GET', `${path}${end}`);
    await call('POST', `${path}/check`);
    for (const command of ['status', 'runs', 'plan', 'check', 'discover', 'quarantine']) await cli(command, name);
    const { runs = [] } = JSON.parse(await call('GET', `${path}/runs`)) as { runs?: readonly { id: string }[] };
    const [run] = runs;
    if (run === undefined) return;
    await call('GET', `/api/runs/${run.id}`);
    await call('POST', `/api/runs/${run.id}/cancel`);
  }

  const documentOf = (name: string, connection: Document, more: Document = {}): Document => {
    const { host, port } = server();
    return {
      name,
      type: 'postgresql',
      connection: { host, port, database: 'source', username: 'canary', ...connection },
      schemas: ['shop'],
      ...more,
    };
  };
  const webhookAt = (endpoint: string, secret: string): Document => ({
    webhook_config: { endpoint, authentication: { type: 'hmac_sha256', secret } },
  });
  const store = { type: 'encrypted_file', file_path: 'own.enc' } as const;
  const uri = (secret: string, host = `${server().host}:${server().port}`) =>
    ({
      name: 'by_uri',
      type: 'postgresql',
      connection: { uri: `postgresql://canary:${secret}@${host}/source` },
    }) as const;

  it.each<readonly [string, () => Document]>([
    ['a wrong password in the document', () => documentOf('inline', { password })],
    ['a wrong password by reference', () => documentOf('referred', { password: '${PASSWORD}' })],
    ['a wrong one of which another is a part', () => documentOf('part', { password: '${PART}', database: '${TOKEN}' })],
    ['a closed port', () => documentOf('closed', { password, port: closedPort })],
    ['a host that is not', () => documentOf('nowhere', { password: '${PASSWORD}', host: 'canary.invalid' })],
    ['a secret in the place of a host', () => documentOf('misplaced', { host: '${PASSWORD}' })],
    ['a certificate that is not trusted', () => documentOf('untrusted', { password, ssl: true })],
    ['a key without its certificate', () => documentOf('key', { password, ssl: { verification: 'off', key: pem } })],
    [
      'a key that is broken',
      () => documentOf('broken', { ssl: { verification: 'off', key: pem.slice(0, 700), cert: pem } }),
    ],
    ['a wrong password in a URI', () => uri(encodeURIComponent(password))],
    ['a URI that is not encoded', () => ({ ...uri(password), name: 'raw_uri' })],
    ['a URI with a wrong port', () => ({ ...uri(encodeURIComponent(password), 'localhost:port'), name: 'wrong_port' })],
    [
      'an error of SQL that quotes it',
      () => documentOf('quoting', { password: '${DIGITS}' }, { tables: ['shop.quoting'] }),
    ],
    [
      'a wrong password of a file',
      () =>
        documentOf(
          'file',
          { password: '${FROM_FILE}' },
          { credential_store: { ...store, encryption_key: '${ENCRYPTION_KEY}' } },
        ),
    ],
    [
      'a wrong key in the document',
      () =>
        documentOf(
          'wrong_key',
          { password: '${FROM_FILE}' },
          { credential_store: { ...store, encryption_key: hmacKey } },
        ),
    ],
    [
      'a step with a key, and a field that is not',
      () =>
        documentOf(
          'hashed',
          { password: digits },
          { transformations: [{ type: 'hash', fields: ['v', 'none'], key: hmacKey }] },
        ),
    ],
    [
      'records that do not pass',
      () =>
        documentOf(
          'quarantined',
          { password: '${DIGITS}' },
          {
            tables: ['shop.plain'],
            transformations: [{ type: 'hash', fields: ['v'], key: hmacKey }],
            validation_rules: [{ field: 'id', type: 'range', min: 5 }],
            error_handling: { strategy: 'quarantine' },
          },
        ),
    ],
    [
      'a webhook with a wrong endpoint',
      () => documentOf('webhook', { password }, webhookAt(`https://a.example/${webhookSecret}`, webhookSecret)),
    ],
    ['misspelt keys', () => documentOf('misspelt', { password, passwrod: password, ssl: { keyy: pem } })],
    ['wrong types', () => documentOf('typed', { password: [password], port: password, ssl: pem })],
  ])(
    'do not show: %s',
    async (_what, make) => {
      await tried(make());
      expect(outputs.leaks()).toEqual([]);
      expect(leaksIn(logged).slice(0, MOST_SHOWN)).toEqual([]);
    },
    60_000,
  );

  it('do not show: webhooks that are called', async () => {
    const endpoint = 'http://localhost/webhooks/canary';
    await tried(documentOf('hooked', { password: digits }, webhookAt(endpoint, webhookSecret)));
    await tried(documentOf('hooked_file', { password: '${DIGITS}' }, webhookAt(endpoint, '${HOOK}')));
    await tried(documentOf('hooked_nowhere', { password: digits }, webhookAt(endpoint, '${HOOK}${NOT_SET}')));
    const post = async (body: string, headers: Record<string, string>, path = '/webhooks/canary') => {
      const response = await home.app.request(path, { method: 'POST', body, headers });
      outputs.add(`POST ${path}`, await response.text());
      return response.status;
    };
    const signed = (body: string) => ({ [SIGNATURE_HEADER]: signWebhook(body, webhookSecret, Date.now()) });
    expect(await post('{}', signed('{}'))).toBe(202);
    expect(await post('{}', signed('other'))).toBe(401);
    // Whoever calls may put it where it does not belong.
    expect(await post(webhookSecret, signed(webhookSecret))).toBe(202);
    expect(await post('{}', { [SIGNATURE_HEADER]: webhookSecret })).toBe(401);
    expect(await post('{}', { 'x-hub-signature-256': `sha256=${webhookSecret}` })).toBe(401);
    expect(await post('{}', signed('{}'), `/webhooks/${webhookSecret}`)).toBe(404);
    await call('GET', '/api/credentials');
    for (const name of ['hooked', 'hooked_file']) {
      const { runs } = JSON.parse(await call('GET', `/api/integrations/${name}/runs`));
      expect(runs.map(({ trigger }: { trigger: string }) => trigger)).toContain('webhook');
    }
    expect(outputs.leaks()).toEqual([]);
    expect(leaksIn(logged).slice(0, MOST_SHOWN)).toEqual([]);
    expect(logged).toContain('calls of a webhook are refused');
  }, 60_000);

  it('really fail, and are told of', async () => {
    const all = outputs.texts.map(({ text }) => text).join('\n');
    for (const code of ['authentication_failed', 'wrong_encryption_key', 'invalid_config', 'unreachable']) {
      expect(all).toContain(code);
    }
    expect(all).toContain('value \\"[secret]\\" is out of range for type integer');
    expect(all.match(/\[secret\]/g)?.length).toBeGreaterThan(20);
  });

  it('do not show in JSON that is broken', async () => {
    const broken = JSON.stringify(documentOf('json', { password })).slice(0, -9);
    for (const path of ['/api/integrations', '/api/check', '/api/validate']) await call('POST', path, broken);
    const file = join(folder, 'broken.json');
    writeFileSync(file, `{"name": "json", "password": "${token}" "${digits}"}`);
    await cli('validate', file);
    await cli('sync', file);
    rmSync(file);
    expect(outputs.leaks()).toEqual([]);
  });

  it('do not show when a masked document is changed and sent back', async () => {
    const shown = JSON.parse(await call('GET', '/api/integrations/inline')) as { document: Document };
    expect(JSON.stringify(shown)).toContain('[secret]');
    const moved = { ...shown.document, connection: { ...(shown.document.connection as Document), host: 'elsewhere' } };
    await call('PUT', '/api/integrations/inline', moved);
    await call('PATCH', '/api/integrations/inline', { connection: { host: 'elsewhere' } });
    await call('GET', '/api/integrations');
    expect(outputs.leaks()).toEqual([]);
  });

  it('do not show in lists of credentials', async () => {
    await call('GET', '/api/credentials');
    await cli('secrets', 'list', '--data', folder);
    await cli('secrets', 'list', '--data', folder, '--file', join(folder, 'own.enc'), '--key-env', 'NOT_SET');
    expect(outputs.leaks()).toEqual([]);
  });

  it('do not show in notifications', async () => {
    for (let waited = 0; receiver.requests.length === 0 && waited < 20_000; waited += 100) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(receiver.requests.length).toBeGreaterThan(0);
    expect(leaksIn(receiver.requests.map((request) => JSON.stringify(request)).join('\n'))).toEqual([]);
  }, 30_000);

  it('do not show when the destination refuses', async () => {
    await home.stop();
    const wrong = new URL(databases.targetUrl);
    wrong.password = token;
    wrong.username = 'canary';
    home = await open(wrong.href);
    outputs.add('run', JSON.stringify(await syncOf('quoting')));
    outputs.add('run', JSON.stringify(await syncOf('quarantined')));
    await call('GET', '/api/integrations/quarantined/quarantine');
    await cli('quarantine', 'quarantined');
    const { err } = await commandLine(['list', '--destination-url', `postgresql://u:${token}@[`], {});
    outputs.add('list', err);
    expect(outputs.leaks()).toEqual([]);
  }, 60_000);

  async function syncOf(name: string) {
    const { id } = await home.service.sync(name, { trigger: 'manual', whenRunning: 'refuse' });
    return home.service.wait(id, AbortSignal.timeout(LONGEST_RUN_MS));
  }

  it('lie in no file but their own, and in no table of the destination', async () => {
    await home.stop();
    expect(leaksInFiles(folder, OF_PURPOSE)).toEqual([]);
    const target = await connect(databases.targetUrl);
    const { rows } = await target.query(
      `select table_schema, table_name from information_schema.tables where table_schema !~ '^(pg_|information_schema)'`,
    );
    for (const { table_schema, table_name } of rows as { table_schema: string; table_name: string }[]) {
      const content = await target.query(`select t::text from "${table_schema}"."${table_name}" t`);
      const isData = table_name.endsWith('notes') || /quarantine/.test(table_name);
      if (!isData) outputs.add(`${table_schema}.${table_name}`, JSON.stringify(content.rows));
    }
    await target.end();
    expect(outputs.leaks()).toEqual([]);
    expect(leaksIn(logged).slice(0, MOST_SHOWN)).toEqual([]);
    expect(logged.length).toBeGreaterThan(500);
    home = await open(databases.targetUrl);
  });
});
