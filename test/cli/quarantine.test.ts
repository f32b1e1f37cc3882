import { Fault } from '../../lib/core/fault';
import type { FieldValues, QuarantineFilter, ReplayOutcome } from '../../lib/core/quarantine';
import type { ReplayOrder, Service } from '../../lib/core/service';
import { commandLine, connectionTo } from './command-line';
import { quarantined } from './records';

const run = (args: string[], service: Partial<Service>) =>
  commandLine(['quarantine', ...args], { connection: connectionTo(service) });

const outcome = (id: string, state: ReplayOutcome['state'], message?: string): ReplayOutcome => ({
  id,
  stream: 'public.orders',
  state,
  reasons: message === undefined ? [] : [{ message, field: 'quantity', rule: 'range' }],
});

/** A service that answers replays in pages of one, and remembers what it was asked. */
function replaying(outcomes: readonly ReplayOutcome[]) {
  const orders: ReplayOrder[] = [];
  const service: Partial<Service> = {
    replayQuarantined: async (_id, order) => {
      orders.push(order);
      const place = outcomes.findIndex(({ id }) => id === order.after) + 1;
      const found = outcomes.slice(place, place + 1);
      const last = place >= outcomes.length - 1;
      return { outcomes: found, ...(!last && found[0] && { next: found[0].id }) };
    },
  };
  return { service, orders };
}

describe('quarantine', () => {
  it.each([[['shop']], [['list', 'shop']]])('%j lists, by every condition', async (args) => {
    const queries: unknown[] = [];
    const service: Partial<Service> = {
      quarantined: async (id, query) => {
        queries.push([id, query]);
        return [quarantined('8'), quarantined('7')];
      },
    };
    const filters = [
      '--stream',
      'orders',
      '--field',
      'quantity',
      '--rule',
      'range',
      '--reason',
      'above',
      '--run',
      'r1',
    ];
    const times = ['--since', '2026-01-31T10:00:00Z', '--until', '2026-02-01T00:00:00+01:00'];
    const { code, out, err } = await run([...args, ...filters, ...times, '--limit', '1', '--after', '9'], service);
    expect(queries).toEqual([
      [
        'shop',
        {
          ...{ limit: 2, after: '9', stream: 'orders', field: 'quantity', rule: 'range', reason: 'above', run: 'r1' },
          ...{ since: '2026-01-31T10:00:00.000Z', until: '2026-01-31T23:00:00.000Z' },
        },
      ],
    ]);
    expect(out).toMatch(/ID +AT +STREAM[\s\S]*\n8 .*above 100/);
    expect(err).toContain('--after 8');
    expect(code).toBe(0);
  });

  it('shows one record whole', async () => {
    const reasons = [
      { message: 'above 100', field: 'quantity', rule: 'range' },
      { message: 'no address', field: 'email', rule: 'email_format' },
    ];
    const edited = { at: '2026-11-25T00:00:00.000Z', fields: ['email'] };
    const service: Partial<Service> = {
      quarantinedRecord: async (_id, id) => quarantined(id, { reasons, load: 'r1.0', partition: '3', edited }),
    };
    const { code, out } = await run(['show', 'shop', '42'], service);
    for (const text of [
      'record         42',
      'reason         above 100 (quantity, range)',
      'reason         no address (email, email_format)',
      'came from      part 3 of the full load r1.0',
      'configuration  0123456789abcdef',
      'operation      insert',
      'edited         email (2026-11-25 00:00:00Z)',
      '  quantity  101',
    ]) {
      expect(out).toContain(text);
    }
    expect(code).toBe(0);
    expect(JSON.parse((await run(['show', 'shop', '42', '--json'], service)).out)).toMatchObject({ id: '42', reasons });
  });

  it('edits fields, and says what is wrong with a value', async () => {
    const edits: unknown[] = [];
    const service: Partial<Service> = {
      editQuarantined: async (_id, id, fields: FieldValues) => {
        edits.push([id, fields]);
        if (fields.quantity !== '5')
          throw new Fault('config', 'invalid_record', 'editing: quantity: expected a number');
        return quarantined(id);
      },
    };
    const { code, out } = await run(
      ['edit', 'shop', '42', '--set', 'quantity=5', '--set', 'a=b=c', '--null', 'n'],
      service,
    );
    expect(edits).toEqual([['42', { quantity: '5', a: 'b=c', n: null }]]);
    expect(out).toContain('stays in quarantine until it is replayed');
    expect(code).toBe(0);
    const wrong = await run(['edit', 'shop', '42', '--set', 'quantity=five'], service);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('quantity: expected a number')]);
    expect(await run(['edit', 'shop', '42'], service)).toMatchObject({ code: 2, out: '' });
    expect(await run(['edit', 'shop', '42', '--set', '=5'], service)).toMatchObject({ code: 2, out: '' });
  });

  it('drops by id or condition, and everything only when told so', async () => {
    const filters: QuarantineFilter[] = [];
    const service: Partial<Service> = {
      dropQuarantined: async (_id, filter) => filters.push(filter),
    };
    expect(await run(['drop', 'shop', '1', '2'], service)).toMatchObject({ code: 0, out: '3 records dropped.\n' });
    await run(['drop', 'shop', '--stream', 'orders'], service);
    expect(await run(['drop', 'shop'], service)).toMatchObject({ code: 2, err: expect.stringContaining('all: ') });
    await run(['drop', 'shop', '--all'], service);
    expect(filters).toEqual([{ ids: ['1'] }, { ids: ['2'] }, { stream: 'orders' }, {}]);
  });

  it('takes no option of the list for a replay', async () => {
    expect(await run(['replay', 'shop', '--limit', '5'], {})).toMatchObject({
      code: 2,
      err: expect.stringContaining("unknown option '--limit'"),
    });
  });

  it('wants times that are times', async () => {
    expect(await run(['shop', '--since', 'yesterday'], {})).toMatchObject({ code: 2, out: '' });
  });
});

describe('quarantine replay', () => {
  it('goes on until nothing is left, with progress, and says what became of each record', async () => {
    const { service, orders } = replaying([
      outcome('1', 'loaded'),
      outcome('2', 'failed', 'above 100'),
      outcome('3', 'loaded'),
    ]);
    const { code, out, err } = await run(['replay', 'shop', '1', '2', '3', '--rule', 'range'], service);
    expect(orders).toHaveLength(3);
    expect(orders[0]).toMatchObject({ filter: { ids: ['1', '2', '3'], rule: 'range' }, dryRun: false });
    expect(orders[2]).toMatchObject({ after: '2' });
    expect(out).toMatch(/2 +public\.orders +failed again +above 100 \(quantity, range\)/);
    expect(out).toContain('3 records: 2 loaded, 1 failed again');
    expect(err).toContain('... 1 record: 1 loaded');
    expect(code).toBe(3);
  });

  it.each([
    [0, ['loaded', 'superseded', 'left_out']],
    [1, ['failed', 'postponed']],
    [3, ['loaded', 'postponed']],
    [0, []],
  ] as const)('ends with %i for %j', async (expected, states) => {
    const { service } = replaying(states.map((state, index) => outcome(String(index + 1), state)));
    expect((await run(['replay', 'shop'], service)).code).toBe(expected);
  });

  it('changes nothing in a dry run', async () => {
    const { service, orders } = replaying([outcome('1', 'loaded')]);
    const { out } = await run(['replay', 'shop', '--dry-run'], service);
    expect(orders[0]?.dryRun).toBe(true);
    expect(out).toMatch(/WOULD BE[\s\S]*Nothing was changed\. 1 record: 1 loaded/);
    const json = JSON.parse((await run(['replay', 'shop', '--dry-run', '--json'], service)).out);
    expect(json).toMatchObject({ dry_run: true, outcomes: [{ id: '1', state: 'loaded' }] });
  });
});
