import { randomUUID } from 'node:crypto';
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { AwsScheduler } from '../../../lib/adapters/aws/scheduler';
import { Fault } from '../../../lib/core/fault';
import { systemClock } from '../../../lib/core/system-clock';
import { describeScheduler } from '../../contracts/scheduler';
import { type Ministack, ministack } from '../../servers/ministack';
import { describeWithServer } from '../../servers/require';

const DEAD_LETTERS = 'arn:aws:sqs:us-east-1:000000000000:undelivered';
const ROLE = 'arn:aws:iam::000000000000:role/schedules';
const NO_QUEUE = 'arn:aws:sqs:us-east-1:000000000000:nowhere';
const MINUTE_MS = 60_000;

describeWithServer('schedules in AWS', ministack(), (server) => {
  const settings = ({ url, region, credentials }: Ministack) => ({ endpoint: url, region, credentials });

  /** A group of its own and the scheduler that writes to it. */
  async function open(queueArn = NO_QUEUE) {
    const client = new SchedulerClient(settings(server()));
    const group = `group-${randomUUID()}`;
    await client.send(new CreateScheduleGroupCommand({ Name: group }));
    const scheduler = new AwsScheduler({
      client,
      group,
      roleArn: ROLE,
      deadLetterArn: DEAD_LETTERS,
      queueArn: async () => queueArn,
      clock: systemClock,
    });
    const close = async () => {
      await client.send(new DeleteScheduleGroupCommand({ Name: group }));
      client.destroy();
    };
    const read = (name: string) => client.send(new GetScheduleCommand({ Name: name, GroupName: group }));
    const names = async () => {
      const { Schedules = [] } = await client.send(new ListSchedulesCommand({ GroupName: group }));
      return Schedules.map(({ Name }) => Name).sort();
    };
    return { client, group, scheduler, close, read, names };
  }

  describeScheduler('EventBridge Scheduler', open, { skippedTime: 'never' });

  describe('beyond the contract', () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    it('has two schedules while a day of the month and a weekday are wanted, then one', async () => {
      const { scheduler, names, read } = opened;
      const schedule = { integration: 'orders', timeZone: 'Europe/Berlin' };
      await scheduler.set({ ...schedule, cron: '0 0 13 * 5' });
      expect(await names()).toEqual(['orders-1', 'orders-2']);
      expect(await scheduler.list()).toEqual([{ ...schedule, cron: '0 0 13 * 5' }]);
      await scheduler.set({ ...schedule, cron: '0 6 * * *' });
      expect(await names()).toEqual(['orders-1']);
      expect(await read('orders-1')).toMatchObject({
        ScheduleExpression: 'cron(0 6 * * ? *)',
        ScheduleExpressionTimezone: 'Europe/Berlin',
        State: 'ENABLED',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: NO_QUEUE, RoleArn: ROLE, DeadLetterConfig: { Arn: DEAD_LETTERS } },
      });
    });

    it('writes nothing where nothing has changed', async () => {
      const { scheduler, client } = opened;
      const schedule = { integration: 'orders', cron: '0 0 13 * 5', timeZone: 'Europe/Berlin' };
      await scheduler.set(schedule);
      const sent: string[] = [];
      client.middlewareStack.add(
        (next, context) => async (args) => {
          sent.push(String(context.commandName));
          return next(args);
        },
        { step: 'initialize' },
      );
      await scheduler.set(schedule);
      expect(sent).toEqual(['GetScheduleCommand']);
    });

    it('removes both schedules', async () => {
      const { scheduler, names } = opened;
      await scheduler.set({ integration: 'orders', cron: '0 0 13 * 5', timeZone: 'UTC' });
      await scheduler.remove('orders');
      expect(await names()).toEqual([]);
      expect(await scheduler.next('orders', 0)).toBeUndefined();
    });

    it('keeps names that are too long for AWS, and does not mix up those that look alike', async () => {
      const { scheduler } = opened;
      const names = ['a', 'a-1', `${'n'.repeat(62)}a`, `${'n'.repeat(62)}b`];
      const schedules = names.map((integration) => ({ integration, cron: '0 0 1 * 1', timeZone: 'UTC' }));
      for (const schedule of schedules) await scheduler.set(schedule);
      const byName = (list: readonly { integration: string }[]) => list.map(({ integration }) => integration).sort();
      expect(byName(await scheduler.list())).toEqual([...names].sort());
      await scheduler.remove('a');
      expect(byName(await scheduler.list())).toEqual(names.slice(1).sort());
    });

    it('leaves out a schedule that somebody made by hand', async () => {
      const { client, group, scheduler } = opened;
      await client.send(
        new CreateScheduleCommand({
          Name: 'by-hand-1',
          GroupName: group,
          ScheduleExpression: 'rate(1 hour)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: NO_QUEUE, RoleArn: ROLE },
        }),
      );
      expect(await scheduler.list()).toEqual([]);
    });

    it('refuses what AWS cannot do, and then changes nothing', async () => {
      const { scheduler } = opened;
      const schedule = { integration: 'orders', cron: '0 6 * * *', timeZone: 'UTC' };
      await scheduler.set(schedule);
      await expect(scheduler.set({ ...schedule, cron: '0 0 */2 * 1' })).rejects.toMatchObject({
        kind: 'config',
        code: 'invalid_cron',
        hint: expect.stringContaining('Write "*" in one of the two fields'),
      });
      expect(await scheduler.list()).toEqual([schedule]);
    });

    it('says that its group is missing', async () => {
      const { client } = opened;
      const options = {
        roleArn: ROLE,
        deadLetterArn: DEAD_LETTERS,
        queueArn: async () => NO_QUEUE,
        clock: systemClock,
      };
      const scheduler = new AwsScheduler({ ...options, client, group: 'never-made' });
      const setting = scheduler.set({ integration: 'orders', cron: '0 6 * * *', timeZone: 'UTC' });
      await expect(setting).rejects.toBeInstanceOf(Fault);
      await expect(setting).rejects.toMatchObject({
        kind: 'config',
        message: expect.stringMatching(/^scheduling orders: .*never-made/),
      });
    });
  });

  it(
    'puts a message into the queue each minute',
    async () => {
      const queues = new SQSClient(settings(server()));
      const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: `ticks-${randomUUID()}` }));
      const { Attributes } = await queues.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
      );
      const { scheduler, close } = await open(Attributes?.QueueArn);
      const started = Date.now();
      await scheduler.set({ integration: 'orders', cron: '* * * * *', timeZone: 'UTC' });
      const next = await scheduler.next('orders', started);
      const receive = async (): Promise<unknown> => {
        const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
        for (const { Body = '', ReceiptHandle } of Messages) {
          await queues.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
          return JSON.parse(Body);
        }
        return Date.now() < started + 2 * MINUTE_MS ? receive() : undefined;
      };
      // MiniStack 1.5.33 does not fill in the time: AWS alone replaces the placeholder.
      expect(await receive()).toEqual({ schedule: 'orders', at: '<aws.scheduler.scheduled-time>' });
      expect(Date.now()).toBeGreaterThanOrEqual(next ?? Number.NaN);
      await close();
      queues.destroy();
    },
    2.5 * MINUTE_MS,
  );
});
