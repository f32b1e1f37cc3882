import { describedSchedule, planSchedules, scheduleName } from '../../../lib/adapters/aws/schedule-plan';

const target = {
  group: 'explorerio-dev-runtime',
  roleArn: 'arn:aws:iam::000000000000:role/schedules',
  queueArn: 'arn:aws:sqs:us-east-1:000000000000:postgresql',
  deadLetterArn: 'arn:aws:sqs:us-east-1:000000000000:undelivered',
};
const daily = { integration: 'orders', cron: '0 6 * * *', timeZone: 'Europe/Berlin' };

describe('the plan of a schedule', () => {
  it('says everything that AWS needs', () => {
    expect(planSchedules(daily, target)).toEqual([
      {
        Name: 'orders-1',
        GroupName: 'explorerio-dev-runtime',
        Description: '{"integration":"orders","cron":"0 6 * * *","time_zone":"Europe/Berlin"}',
        State: 'ENABLED',
        ScheduleExpression: 'cron(0 6 * * ? *)',
        ScheduleExpressionTimezone: 'Europe/Berlin',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          Arn: target.queueArn,
          RoleArn: target.roleArn,
          Input: '{"schedule":"orders","at":"<aws.scheduler.scheduled-time>"}',
          RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 3600 },
          DeadLetterConfig: { Arn: target.deadLetterArn },
        },
      },
    ]);
  });

  it('has two schedules for days of the month and weekdays', () => {
    const specs = planSchedules({ ...daily, cron: '0 0 13 * 5' }, target);
    expect(specs.map(({ Name, ScheduleExpression }) => [Name, ScheduleExpression])).toEqual([
      ['orders-1', 'cron(0 0 13 * ? *)'],
      ['orders-2', 'cron(0 0 ? * 6 *)'],
    ]);
  });

  it('says in each tick that the integration is declared, where it is', () => {
    const inputs = [true as const, undefined].map((declared) => {
      const [spec] = planSchedules(daily, { ...target, ...(declared && { declared }) });
      return JSON.parse(spec?.Target.Input ?? '');
    });
    expect(inputs).toEqual([
      expect.objectContaining({ declared: true }),
      expect.not.objectContaining({ declared: true }),
    ]);
  });

  it('can be read back, and knows what others wrote', () => {
    expect(planSchedules(daily, target).map(({ Description }) => describedSchedule(Description))).toEqual([daily]);
    for (const text of [undefined, '', 'by hand', 'null', '7', '[]', '{"integration":"orders"}']) {
      expect(describedSchedule(text)).toBeUndefined();
    }
  });

  it('refuses a cron that is longer than a description may be', () => {
    const cron = `${Array.from({ length: 200 }, () => '10').join(',')} * * * *`;
    expect(() => planSchedules({ ...daily, cron }, target)).toThrow(
      expect.objectContaining({ kind: 'config', code: 'invalid_cron', message: expect.stringContaining('too long') }),
    );
  });
});

describe('the name of a schedule', () => {
  it.each([
    ['orders', 'orders-1'],
    ['Main_database-2', 'Main_database-2-1'],
    ['a'.repeat(62), `${'a'.repeat(62)}-1`],
    // Stable for ever: a deployed schedule would be left behind under its old name.
    ['a'.repeat(63), `${'a'.repeat(45)}.7d3e74a05d7db15b-1`],
    ['Bestellungen für Köln', 'Bestellungen_f_r_K_ln.d3f9f05ffaf08a19-1'],
    ['a.b', 'a_b.2e7336dc8eba87ef-1'],
  ])('of %j is %j', (integration, name) => {
    expect(scheduleName(integration, 1)).toBe(name);
    expect(name).toMatch(/^[0-9A-Za-z_.-]{1,64}$/);
  });

  it('is another one for names that look alike', () => {
    const names = ['a'.repeat(63), `${'a'.repeat(62)}b`, 'a b', 'a_b', 'a.b', 'a/b'];
    expect(new Set(names.map((name) => scheduleName(name, 1))).size).toBe(names.length);
  });
});
