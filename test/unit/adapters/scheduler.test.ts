import {
  ConflictException,
  ResourceNotFoundException,
  SchedulerClient,
  ThrottlingException,
} from '@aws-sdk/client-scheduler';
import { jest } from '@jest/globals';
import { planSchedules } from '../../../lib/adapters/aws/schedule-plan';
import { AwsScheduler } from '../../../lib/adapters/aws/scheduler';

const details = { message: 'as told', Message: 'as told', $metadata: {} };
const conflict = new ConflictException(details);
const missing = new ResourceNotFoundException(details);
const daily = { integration: 'orders', cron: '0 6 * * *', timeZone: 'UTC' };

/** A scheduler whose client gives these answers in turn: what a real server does only by chance or at a size. */
function answering(...answers: readonly unknown[]) {
  const left = [...answers];
  const client = new SchedulerClient({ region: 'us-east-1' });
  const sent: string[] = [];
  const send = async (command: { readonly constructor: { name: string }; readonly input: object }) => {
    sent.push([command.constructor.name.replace('Command', ''), (command.input as { Name?: string }).Name].join(' '));
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? {};
  };
  jest.spyOn(client, 'send').mockImplementation(send as never);
  let sleeps = 0;
  const scheduler = new AwsScheduler({
    client,
    group: 'group',
    roleArn: 'role',
    deadLetterArn: 'dead',
    queueArn: async () => 'queue',
    clock: { now: () => 0, sleep: async () => void sleeps++ },
  });
  return { scheduler, sent, sleeps: () => sleeps };
}

describe('the scheduler in AWS', () => {
  it('replaces what is there', async () => {
    const { scheduler, sent } = answering(missing, {}, conflict);
    await scheduler.set(daily);
    expect(sent).toEqual([
      'GetSchedule orders-1',
      'DeleteSchedule orders-2',
      'CreateSchedule orders-1',
      'UpdateSchedule orders-1',
    ]);
  });

  it('writes nothing where nothing has changed', async () => {
    const target = { group: 'group', roleArn: 'role', deadLetterArn: 'dead', queueArn: 'queue' };
    const [spec] = planSchedules(daily, target);
    const { scheduler, sent } = answering({ ...spec, Arn: 'arn', CreationDate: new Date(0), $metadata: {} });
    await scheduler.set(daily);
    expect(sent).toEqual(['GetSchedule orders-1']);
  });

  it.each<[string, Parameters<typeof planSchedules>[0], object]>([
    ['another expression', { ...daily, cron: '0 7 * * *' }, {}],
    ['another time zone', { ...daily, timeZone: 'Europe/Berlin' }, {}],
    ['a second schedule', { ...daily, cron: '0 6 1 * 1' }, {}],
    ['another queue', daily, { queueArn: 'old' }],
    ['another role', daily, { roleArn: 'old' }],
    ['another dead-letter queue', daily, { deadLetterArn: 'old' }],
  ])('writes where it had %s', async (_name, before, change) => {
    const target = { group: 'group', roleArn: 'role', deadLetterArn: 'dead', queueArn: 'queue', ...change };
    const { scheduler, sent } = answering(planSchedules(before, target)[0]);
    await scheduler.set(daily);
    expect(sent).toEqual(['GetSchedule orders-1', 'DeleteSchedule orders-2', 'CreateSchedule orders-1']);
  });

  it('writes where somebody has switched it off', async () => {
    const target = { group: 'group', roleArn: 'role', deadLetterArn: 'dead', queueArn: 'queue' };
    const { scheduler, sent } = answering({ ...planSchedules(daily, target)[0], State: 'DISABLED' });
    await scheduler.set(daily);
    expect(sent).toHaveLength(3);
  });

  it('makes the first of two schedules last: it tells that both are there', async () => {
    const { scheduler, sent } = answering(missing);
    await scheduler.set({ ...daily, cron: '0 6 1 * 1' });
    expect(sent).toEqual(['GetSchedule orders-1', 'CreateSchedule orders-2', 'CreateSchedule orders-1']);
  });

  it('adds a schedule that another process removes at this moment', async () => {
    const { scheduler, sent, sleeps } = answering(missing, {}, conflict, missing, {});
    await scheduler.set(daily);
    expect(sent.slice(2)).toEqual(['CreateSchedule orders-1', 'UpdateSchedule orders-1', 'CreateSchedule orders-1']);
    expect(sleeps()).toBe(1);
  });

  it('gives up when others go on changing it', async () => {
    const { scheduler, sent } = answering(missing, {}, ...Array.from({ length: 10 }, () => conflict));
    await expect(scheduler.set(daily)).rejects.toMatchObject({
      kind: 'transient',
      code: 'conflict',
      message: expect.stringMatching(/^scheduling orders: /),
    });
    expect(sent).toHaveLength(2 + 6);
  });

  it('removes the second schedule before the first, and what is not there', async () => {
    const { scheduler, sent } = answering(missing, missing);
    await scheduler.remove('orders');
    expect(sent).toEqual(['DeleteSchedule orders-2', 'DeleteSchedule orders-1']);
  });

  it('lists every page, each integration once, without those that go meanwhile', async () => {
    const described = (integration: string) => ({
      Description: JSON.stringify({ integration, cron: '0 0 13 * 5', time_zone: 'UTC' }),
    });
    const { scheduler, sent } = answering(
      { Schedules: [{ Name: 'a-1' }, { Name: 'a-2' }], NextToken: 'more' },
      { Schedules: [{ Name: 'b-1' }, { Name: 'c-1' }] },
      described('a'),
      missing,
      described('c'),
    );
    const rest = { cron: '0 0 13 * 5', timeZone: 'UTC' };
    expect(await scheduler.list()).toEqual([
      { integration: 'a', ...rest },
      { integration: 'c', ...rest },
    ]);
    expect(sent).toEqual(['ListSchedules ', 'ListSchedules ', 'GetSchedule a-1', 'GetSchedule b-1', 'GetSchedule c-1']);
  });

  it.each([
    ['set', 'scheduling orders: '],
    ['remove', 'removing the schedule of orders: '],
    ['list', 'listing the schedules of group group: '],
    ['next', 'reading the schedule of orders: '],
  ] as const)('says what it was doing when AWS throttles it: %s', async (method, doing) => {
    const { scheduler } = answering(new ThrottlingException(details));
    const calls = {
      set: () => scheduler.set(daily),
      remove: () => scheduler.remove('orders'),
      list: () => scheduler.list(),
      next: () => scheduler.next('orders', 0),
    };
    await expect(calls[method]()).rejects.toMatchObject({
      kind: 'transient',
      code: 'throttled',
      message: expect.stringMatching(new RegExp(`^${doing}`)),
    });
  });
});
