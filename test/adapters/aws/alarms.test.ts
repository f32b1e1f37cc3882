import {
  CloudWatchClient,
  type DeleteAlarmsCommandInput,
  DescribeAlarmsCommand,
  type PutMetricAlarmCommandInput,
  ResourceNotFound,
} from '@aws-sdk/client-cloudwatch';
import { type AlarmSpec, alarmPrefix } from '../../../lib/adapters/aws/alarm-spec';
import { CloudWatchAlarms } from '../../../lib/adapters/aws/alarms';
import { ministack } from '../../servers/ministack';
import { describeWithServer } from '../../servers/require';

const TOPIC = 'arn:aws:sns:us-east-1:000000000000:alerts';
const failure = { name: 'Failure', condition: "connection_status == 'failed'", severity: 'critical' };
const stale = { name: 'Stale', condition: "last_sync_age > '2h'", severity: 'info' };
const errors = { name: 'Errors', condition: 'error_rate > 0.05', severity: 'warning' };
const shop = (...alerts: (typeof failure)[]) => ({ name: 'shop', alerts });

const over = (client: CloudWatchClient, stage = 'dev') =>
  new CloudWatchAlarms({
    client,
    stage,
    prefix: alarmPrefix(stage, 'runtime'),
    topicArn: TOPIC,
    runbook: 'https://example.com/runbook.md',
  });

/** CloudWatch as far as alarms are kept in it. */
class FakeCloudWatch {
  readonly alarms = new Map<string, Partial<AlarmSpec>>();
  readonly calls: string[] = [];
  fail: Error | undefined;

  readonly client = new CloudWatchClient({ region: 'us-east-1' });

  constructor() {
    const send = async ({
      constructor: { name },
      input,
    }: {
      readonly constructor: { name: string };
      readonly input: object;
    }) => {
      const verb = name.replace('Command', '');
      if (verb !== 'DescribeAlarms') this.calls.push(verb);
      if (this.fail && verb !== 'DescribeAlarms') throw this.fail;
      if (verb === 'PutMetricAlarm') this.#put(input as PutMetricAlarmCommandInput);
      if (verb === 'DeleteAlarms')
        for (const gone of (input as DeleteAlarmsCommandInput).AlarmNames ?? []) this.alarms.delete(gone);
      const { AlarmNamePrefix = '' } = input as { readonly AlarmNamePrefix?: string };
      return {
        MetricAlarms: [...this.alarms.values()].filter(({ AlarmName = '' }) => AlarmName.startsWith(AlarmNamePrefix)),
      };
    };
    this.client.send = send as never;
  }

  #put(input: PutMetricAlarmCommandInput): void {
    this.alarms.set(input.AlarmName ?? '', input as Partial<AlarmSpec>);
  }

  get names(): string[] {
    return [...this.alarms.keys()].sort();
  }
}

describe('alarms of integrations', () => {
  let cloud: FakeCloudWatch;
  beforeEach(() => {
    cloud = new FakeCloudWatch();
  });

  it('are made as the document says, and those of alerts that are gone are removed', async () => {
    await over(cloud.client).set(shop(failure, errors));
    expect(cloud.names).toEqual(['dev-int-shop.errors', 'dev-int-shop.failure']);
    await over(cloud.client).set(shop(errors, stale));
    expect(cloud.names).toEqual(['dev-int-shop.errors', 'dev-int-shop.stale']);
    await over(cloud.client).set({ ...shop(errors), enabled: false });
    expect(cloud.names).toEqual([]);
  });

  it('are written only where they are not as they should be', async () => {
    await over(cloud.client).set(shop(failure, errors));
    cloud.calls.length = 0;
    await over(cloud.client).reconcile([shop(failure, errors)]);
    expect(cloud.calls).toEqual([]);
    await over(cloud.client).reconcile([shop(failure, { ...errors, condition: 'error_rate > 0.1' })]);
    expect(cloud.calls).toEqual(['PutMetricAlarm']);
  });

  it('of one integration leave those of another alone, whose name begins in the same way', async () => {
    await over(cloud.client).set({ ...shop(failure), name: 'shop-2' });
    await over(cloud.client).set(shop(failure));
    await over(cloud.client).remove('shop');
    expect(cloud.names).toEqual(['dev-int-shop-2.failure']);
  });

  it('that nobody wants any more are removed, but not those of a stage whose name begins in the same way', async () => {
    await over(cloud.client).set(shop(failure));
    await over(cloud.client, 'dev-int-more').set(shop(failure, errors));
    await over(cloud.client).reconcile([]);
    expect(cloud.names).toEqual(['dev-int-more-int-shop.errors', 'dev-int-more-int-shop.failure']);
    await over(cloud.client, 'dev-int-more').reconcile([]);
    expect(cloud.names).toEqual([]);
  });

  it('may be removed by somebody else at the same moment', async () => {
    await over(cloud.client).set(shop(failure));
    cloud.fail = new ResourceNotFound({ message: 'gone', $metadata: {} });
    await over(cloud.client).remove('shop');
  });

  it('that cannot be made are a fault that says what was being done', async () => {
    cloud.fail = Object.assign(new Error('no more'), {
      name: 'LimitExceededFault',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(over(cloud.client).set(shop(failure))).rejects.toMatchObject({
      kind: 'config',
      code: 'quota_exceeded',
      message: expect.stringMatching(/^making the alarms of shop: /),
    });
  });
});

// Alarms of one metric only: this emulator takes metric math and forgets it; the table of alert cases covers it by a simulator.
describeWithServer('alarms in an emulator', ministack(), (server) => {
  it('are made, kept, changed and removed', async () => {
    const { url, region, credentials } = server();
    const client = new CloudWatchClient({ endpoint: url, region, credentials });
    const read = async () => {
      const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'dev-int-' }));
      return MetricAlarms.map(({ AlarmName, MetricName, Threshold, TreatMissingData, AlarmActions }) => ({
        AlarmName,
        MetricName,
        Threshold,
        TreatMissingData,
        AlarmActions,
      }));
    };
    const alarms = over(client);
    await alarms.set(shop(failure, stale));
    expect(await read()).toEqual([
      {
        AlarmName: 'dev-int-shop.failure',
        MetricName: 'ConnectionFailed',
        Threshold: 1,
        TreatMissingData: 'notBreaching',
        AlarmActions: [TOPIC],
      },
      {
        AlarmName: 'dev-int-shop.stale',
        MetricName: 'LastSyncAge',
        Threshold: 7200,
        TreatMissingData: 'breaching',
        AlarmActions: [],
      },
    ]);
    await alarms.set(shop({ ...stale, condition: "last_sync_age > '3h'" }));
    expect(await read()).toMatchObject([{ AlarmName: 'dev-int-shop.stale', Threshold: 10_800 }]);
    await alarms.reconcile([]);
    expect(await read()).toEqual([]);
    client.destroy();
  });
});
