import { bytes, count, duration, plain, plural, shorten, time } from '../../bin/output/format';
import { faultText } from '../../bin/output/printer';
import { createProgress } from '../../bin/output/progress';
import { runText } from '../../bin/output/runs';
import { table } from '../../bin/output/table';
import type { RunDetails } from '../../bin/wire';
import { toWire } from '../../lib/api/wire';
import { Fault } from '../../lib/core/fault';
import { run } from './records';

const wireRun = (...args: Parameters<typeof run>) => toWire(run(...args)) as unknown as RunDetails;

describe('figures', () => {
  it.each([
    [bytes(0), '0 B'],
    [bytes(999), '999 B'],
    [bytes(1_234_567), '1.23 MB'],
    [bytes(5e15), '5 PB'],
    [duration(0.04), '0.0 s'],
    [duration(59.6), '60 s'],
    [duration(3600), '60 min'],
    [duration(86_400), '24 h'],
    [duration(864_000), '10 d'],
    [count(1_234_567), '1,234,567'],
    [plural(1, 'row'), '1 row'],
    [plural(0, 'row'), '0 rows'],
    [time('2026-11-24T12:00:01.123Z'), '2026-11-24 12:00:01Z'],
    [time(undefined), '-'],
    [shorten('日本語のテスト', 4), '日本語…'],
    [plain('a\u001b[2Jb\u007f\u009bc'), 'a\\u001b[2Jb\\u007f\\u009bc'],
  ])('%s', (got, expected) => {
    expect(got).toBe(expected);
  });
});

describe('a table', () => {
  it('is aligned by width, also for wide characters, and has no trailing spaces', () => {
    const text = table(
      [{ title: 'name' }, { title: 'rows', numeric: true }, { title: 'why' }],
      [
        ['日本', '1', ''],
        ['x\ny', '1,000', 'because'],
      ],
    );
    expect(text.split('\n')).toEqual(['NAME   ROWS  WHY', '日本      1', 'x\\ny  1,000  because']);
  });
});

describe('a run', () => {
  it('shows each fault once, with its hint, and each note once', () => {
    const fault = {
      kind: 'config',
      code: 'permission_denied',
      message: 'reading orders: denied',
      hint: 'GRANT it.',
    } as const;
    const failed = run('r1', 'failed');
    const streams = failed.streams.map((one) => ({ ...one, fault, notes: ['slow', 'slow'] }));
    const text = runText(toWire({ ...failed, fault, streams }) as unknown as RunDetails);
    expect(text.match(/reading orders: denied \(permission_denied\)\n {2}hint: GRANT it\./g)).toHaveLength(1);
    expect(text.match(/slow/g)).toHaveLength(1);
  });
});

describe('progress', () => {
  it('of a stream is a line when its state changes, not at every look', () => {
    let out = '';
    const progress = createProgress({ write: (text) => (out += text) }, false);
    progress.update(wireRun('r1', 'running'));
    progress.update(wireRun('r1', 'running'));
    progress.update(wireRun('r1', 'succeeded'));
    progress.stop();
    expect(out).toBe('shop public.orders: running, 1,234 rows\nshop public.orders: succeeded, 1,234 rows\n');
  });

  it('is silent for programs', () => {
    let out = '';
    createProgress({ write: (text) => (out += text) }, true).update(wireRun('r1', 'running'));
    expect(out).toBe('');
  });
});

describe('an error', () => {
  const issues = [
    { path: 'name', message: 'too long' },
    { path: 'connection.port', message: 'expected a number' },
  ];

  it('with many wrong fields lists them', () => {
    const text = faultText(
      new Fault('config', 'invalid_config', 'all in one line', { issues, hint: 'Correct them.' }),
      false,
    );
    expect(text).toBe(
      'error: the configuration is wrong\n  name: too long\n  connection.port: expected a number\nhint: Correct them.',
    );
  });

  it('is one line of JSON for programs', () => {
    const text = faultText(new Fault('config', 'invalid_config', 'wrong', { issues }), true);
    expect(JSON.parse(text)).toEqual({ error: { kind: 'config', code: 'invalid_config', message: 'wrong', issues } });
  });
});
