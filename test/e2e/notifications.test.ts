import { rmSync } from 'node:fs';
import type { Home } from '../../bin/embedded';
import { openHome } from '../../bin/embedded';
import { Redactor } from '../../lib/core/secret';
import { type MailServer, startMailServer } from '../adapters/embedded/notify/mail-server';
import { type LogLine, recordingLogger } from '../contracts/recording-logger';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, eventually, makeDatabases, temporaryFolder } from './home';

const CANARY = 'canary-hunter2';

describeWithServer('notifications of the embedded home', postgresql({ version: 18 }), (server) => {
  const dataFolder = temporaryFolder();
  let databases: Databases;
  let mails: MailServer;
  let home: Home;
  let lines: LogLine[];

  beforeAll(async () => {
    databases = await makeDatabases(server());
    mails = await startMailServer('explorer', CANARY);
    await open();
  });
  afterAll(async () => {
    await home?.stop();
    await mails?.close();
    await databases?.close();
    rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function open() {
    const recording = recordingLogger();
    ({ lines } = recording);
    home = await openHome({
      dataFolder,
      destinationUrl: databases.targetUrl,
      env: {
        EXPLORERIO_SMTP_URL: `smtp://explorer:${CANARY}@127.0.0.1:${mails.port}`,
        EXPLORERIO_EMAIL_FROM: 'explorer@example.com',
        EXPLORERIO_EMAIL_TO: 'ops@example.com, dev@example.com',
        EXPLORERIO_PUBLIC_URL: 'https://explorer.example.com',
        READER_PASSWORD: CANARY,
      },
      log: recording.log,
      redactor: new Redactor(),
      notifyLimits: { gatherMs: 0 },
    });
    await home.startWork();
    home.startNotifications();
  }

  async function sync() {
    const { id } = await home.service.sync('shop', { trigger: 'manual', whenRunning: 'refuse' });
    return home.service.wait(id, AbortSignal.timeout(60_000));
  }

  const mail = () =>
    eventually(async () => {
      try {
        return mails.take();
      } catch {
        return undefined; // none has arrived
      }
    });

  it('are one mail with the hint when a source fails, and one when it is back; nothing more, nothing secret', async () => {
    const { source } = databases;
    await source.query(`create schema shop; create table shop.t (id int primary key, v text); insert into shop.t values (1, 'a');
      create role shop_reader login password '${CANARY}'`);
    const { connection, ...document } = documentOf(server(), 'shop');
    await home.service.create({
      ...document,
      streams: { 'shop.t': {} },
      connection: { ...connection, username: 'shop_reader', password: '${READER_PASSWORD}' },
    });
    const failed = await sync();
    expect(failed.state).toBe('failed');
    const first = await mail();
    expect(first.headers.get('subject')).toBe('[critical] shop: the sync failed');
    expect(first.recipients).toEqual(['ops@example.com', 'dev@example.com']);
    const fault = failed.streams.find((stream) => stream.fault)?.fault ?? failed.fault;
    expect(first.text).toContain(fault?.message);
    expect(fault?.hint).toBeDefined();
    expect(first.text).toContain(fault?.hint);
    expect(first.text).toContain(`https://explorer.example.com/api/runs/${failed.id}`);

    await source.query('grant usage on schema shop to shop_reader; grant select on shop.t to shop_reader');
    expect((await sync()).state).toBe('succeeded');
    const second = await mail();
    expect(second.headers.get('subject')).toBe('[info] shop: syncs succeed again');
    expect(second.text).toContain('After one failed sync');

    await home.stop();
    await open();
    await sync();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(() => mails.take()).toThrow('no mail');
    const channels = await home.service.notificationChannels();
    expect(channels).toMatchObject([
      { channel: 'email', state: 'ok', sent: 2, waiting: 0, givenUp: 0 },
      { channel: 'slack', state: 'missing', missing: { hint: 'Set EXPLORERIO_SLACK_WEBHOOK_URL.' } },
      { channel: 'webhook', state: 'missing' },
    ]);
    expect(JSON.stringify([first.text, second.text, channels, lines])).not.toContain(CANARY);
  }, 60_000);

  it('can be tried', async () => {
    expect(await home.service.testNotification(undefined)).toEqual([{ channel: 'email', sent: true }]);
    expect((await mail()).headers.get('subject')).toBe('[info] A test of ExplorerIO');
    await mails.trouble('forbidden');
    const [outcome] = await home.service.testNotification('email');
    expect(outcome).toMatchObject({ sent: false, fault: { code: 'authentication_failed', hint: expect.any(String) } });
    expect(JSON.stringify(outcome)).not.toContain(CANARY);
    await mails.trouble(undefined);
  });
});
