import { rmSync } from 'node:fs';
import { type Home, openHome } from '../../bin/embedded';
import type { Json } from '../../lib/core/json';
import { Redactor } from '../../lib/core/secret';
import { keys } from '../../lib/engine/state';
import { type HttpReceiver, startReceiver } from '../adapters/embedded/notify/http-receiver';
import { type MailServer, startMailServer } from '../adapters/embedded/notify/mail-server';
import { recordingLogger } from '../contracts/recording-logger';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { connect, documentOf, eventually, temporaryFolder, urlOf } from './home';

const PASSWORD = 'mail-hunter2';
const HOUR_MS = 3_600_000;

/** As the specification has them. */
const ALERTS = [
  {
    name: 'Integration Failure',
    condition: "connection_status == 'failed'",
    severity: 'critical',
    notification_channels: ['email', 'slack'],
  },
  {
    name: 'High Error Rate',
    condition: 'error_rate > 0.05',
    duration: '5m',
    severity: 'warning',
    notification_channels: ['email'],
  },
  {
    name: 'Data Staleness',
    condition: "last_sync_age > '2h'",
    severity: 'warning',
    notification_channels: ['slack'],
  },
];

describeWithServer('the alerts of the specification', postgresql({ version: 18 }), (server) => {
  const dataFolder = temporaryFolder();
  let mails: MailServer;
  let slack: HttpReceiver;
  let home: Home;

  beforeAll(async () => {
    mails = await startMailServer('explorer', PASSWORD);
    slack = await startReceiver();
    // The destination is the embedded server, which goes on when the source is stopped.
    home = await openHome({
      dataFolder,
      env: {
        EXPLORERIO_SMTP_URL: `smtp://explorer:${PASSWORD}@127.0.0.1:${mails.port}`,
        EXPLORERIO_EMAIL_FROM: 'explorer@example.com',
        EXPLORERIO_EMAIL_TO: 'ops@example.com',
        EXPLORERIO_SLACK_WEBHOOK_URL: `${slack.url}/services/T0`,
        EXPLORERIO_PUBLIC_URL: 'https://explorer.example.com',
      },
      log: recordingLogger().log,
      redactor: new Redactor(),
      notifyLimits: { gatherMs: 0, windowMs: 0 },
      alertLookMs: 200,
      engineOptions: { maxAttempts: 2 },
    });
    await home.startWork();
    home.startNotifications();
  }, 60_000);
  afterAll(async () => {
    await home?.stop();
    await mails?.close();
    await slack?.down();
    rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function source(...statements: readonly string[]) {
    const client = await connect(urlOf(server(), 'source'));
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  async function sync() {
    const { id } = await home.service.sync('shop', { trigger: 'manual', whenRunning: 'refuse' });
    return home.service.wait(id, AbortSignal.timeout(60_000));
  }

  /**
   * Waits until each text has come to its receiver, in one message and with no other news. Those that are decided on at the same
   * time may share a message.
   */
  async function received(expected: { readonly mails: readonly string[]; readonly posts: readonly string[] }) {
    const came: { readonly mails: string[]; readonly posts: string[] } = { mails: [], posts: [] };
    const isThere = (where: 'mails' | 'posts') =>
      expected[where].every((text) => came[where].some((message) => message.includes(text)));
    await eventually(async () => {
      take(() => {
        const { headers, text } = mails.take();
        came.mails.push(`${headers.get('subject')}\n${text}`);
      });
      take(() => came.posts.push(slack.take().body.toString()));
      return (isThere('mails') && isThere('posts')) || undefined;
    });
    for (const where of ['mails', 'posts'] as const) {
      expect(came[where].filter((message) => !expected[where].some((text) => message.includes(text)))).toEqual([]);
      for (const text of expected[where]) {
        expect([text, came[where].filter((message) => message.includes(text)).length]).toEqual([text, 1]);
      }
    }
    return came;
  }

  it('ring to a mail server and to Slack when the source is stopped, and are resolved after it is back', async () => {
    const client = await connect(server().url);
    await client.query('create database source');
    await client.end();
    await source(
      'create schema shop',
      'create table shop.t (id int primary key, email text)',
      `insert into shop.t select n, case when n > 90 then 'nobody' else 'a@example.com' end from generate_series(1, 100) n`,
    );
    await home.service.create({
      ...documentOf(server(), 'shop', { alerts: ALERTS as unknown as Json }),
      sync_strategy: { type: 'full' },
      validation_rules: [{ field: 'email', type: 'email_format' }],
      error_handling: { strategy: 'quarantine' },
    });
    const first = await sync();
    expect([first.state, first.rows, first.quarantined]).toEqual(['succeeded', 90, 10]);
    const [rate = ''] = (await received({ mails: ['shop: High Error Rate'], posts: [] })).mails;
    expect(rate).toContain('error_rate > 0.05 (5m): error_rate is 0.1');
    expect(rate).toContain('https://explorer.example.com/api/integrations/shop/status');

    // The only sync that brought anything began three hours ago.
    const run = (await home.state.get(keys.run(first.id)))?.value as { readonly [key: string]: Json };
    await home.state.put(keys.run(first.id), { ...run, startedAt: Number(run.startedAt) - 3 * HOUR_MS }, undefined);
    await server().kill();
    expect((await sync()).state).toBe('failed');
    await received({
      mails: ['shop: Integration Failure', 'shop: the sync failed'],
      posts: ['shop: Integration Failure', 'shop: Data Staleness', 'shop: the sync failed'],
    });
    const { firingAlerts = [] } = await home.service.status('shop');
    expect(firingAlerts.map(({ slug }) => slug)).toEqual(['integration-failure', 'high-error-rate', 'data-staleness']);

    await server().restart();
    await source(
      'delete from shop.t where id > 90',
      `insert into shop.t select n, 'b@example.com' from generate_series(101, 1000) n`,
    );
    expect((await sync()).state).toBe('succeeded');
    await received({
      mails: ['shop: High Error Rate is over', 'shop: Integration Failure is over', 'shop: syncs succeed again'],
      posts: ['shop: Data Staleness is over', 'shop: Integration Failure is over', 'shop: syncs succeed again'],
    });
    expect((await home.service.status('shop')).firingAlerts).toEqual([]);
    const history = await home.service.alertHistory('shop', 100);
    expect(history.map(({ change }) => change).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'firing'),
      ...Array.from({ length: 3 }, () => 'resolved'),
    ]);
  }, 120_000);
});

/** What has not come yet is waited for. */
function take(one: () => unknown): void {
  try {
    one();
  } catch (error) {
    if (!/^(no mail has arrived|nothing was sent)$/.test((error as Error).message)) throw error;
  }
}
