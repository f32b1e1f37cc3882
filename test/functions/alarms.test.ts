import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
} from '@aws-sdk/client-cloudwatch';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ministack } from '../servers/ministack';
import { describeWithServer } from '../servers/require';
import { CONTEXT, httpEvent, makeStage, type Stage } from './stage';

const TOPIC = 'arn:aws:sns:us-east-1:000000000000:alerts';
const document = (condition: string) => ({
  name: 'crm',
  type: 'postgresql',
  connection: { host: 'localhost', database: 'source', username: 'reader', password: '${SOURCE_PASSWORD}' },
  alerts: [{ name: 'Data Staleness', condition, severity: 'warning' }],
});

// Alerts that need metric math are left out: the emulator takes their alarms and forgets what they are made of.
describeWithServer('alarms of the functions of a stage', ministack(), (cloud) => {
  let stage: Stage;
  let client: CloudWatchClient;
  let request: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
  let health: () => Promise<void>;
  const prefix = () => `${stage.environment.EXPLORERIO_STAGE}-int-`;

  beforeAll(async () => {
    stage = await makeStage(cloud(), 'postgresql://nobody:nothing@127.0.0.1:1/none');
    Object.assign(process.env, stage.environment, { EXPLORERIO_ALERT_TOPIC: TOPIC, EXPLORERIO_RUNBOOK: 'https://r/b' });
    client = new CloudWatchClient({ endpoint: cloud().url, region: cloud().region, credentials: cloud().credentials });
    const api = await import('../../functions/api/handler');
    const checks = await import('../../functions/health/handler');
    request = async (method, path, body) => {
      const event = httpEvent(method, path, body);
      const answer = (await api.handler(event, CONTEXT as never)) as APIGatewayProxyStructuredResultV2;
      return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body || 'null') };
    };
    health = async () => void (await checks.handler({}, CONTEXT));
  }, 60_000);
  afterAll(() => client?.destroy());

  const alarms = async () => {
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix() }));
    return MetricAlarms.map(({ AlarmName = '', Threshold, AlarmActions }) => [
      AlarmName.slice(prefix().length),
      Threshold,
      AlarmActions,
    ]);
  };

  it('follow documents at once, and a wrong condition changes nothing', async () => {
    expect(await request('POST', '/api/integrations', document("last_sync_age > '2h'"))).toMatchObject({ status: 201 });
    expect(await alarms()).toEqual([['crm.data-staleness', 7200, [TOPIC]]]);
    expect(await request('PUT', '/api/integrations/crm', document("last_sync_age > '1h'"))).toMatchObject({
      status: 200,
    });
    expect(await alarms()).toEqual([['crm.data-staleness', 3600, [TOPIC]]]);
    const refused = await request('PUT', '/api/integrations/crm', document('last_sync_age > 2'));
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(refused.body)).toContain('alerts[0].condition');
    expect(await alarms()).toEqual([['crm.data-staleness', 3600, [TOPIC]]]);
  });

  it('that are missing or left over are put right by the health function', async () => {
    await client.send(new DeleteAlarmsCommand({ AlarmNames: [`${prefix()}crm.data-staleness`] }));
    await client.send(
      new PutMetricAlarmCommand({
        AlarmName: `${prefix()}gone.old`,
        Namespace: 'ExplorerIO',
        MetricName: 'LastSyncAge',
        Dimensions: [{ Name: 'Stage', Value: stage.environment.EXPLORERIO_STAGE }],
        Statistic: 'Maximum',
        Period: 300,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
    await health();
    expect(await alarms()).toEqual([['crm.data-staleness', 3600, [TOPIC]]]);
  });

  it('go while the integration is paused, and with it', async () => {
    const paused = { ...document("last_sync_age > '1h'"), enabled: false };
    expect(await request('PUT', '/api/integrations/crm', paused)).toMatchObject({ status: 200 });
    expect(await alarms()).toEqual([]);
    await request('PUT', '/api/integrations/crm', document("last_sync_age > '1h'"));
    expect(await alarms()).toHaveLength(1);
    expect((await request('DELETE', '/api/integrations/crm')).status).toBeLessThan(300);
    expect(await alarms()).toEqual([]);
  });
});
