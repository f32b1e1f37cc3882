import { createLogger, type LogOptions } from '../../../lib/adapters/embedded/log';
import { logLevelOf } from '../../../lib/adapters/embedded/log-level';
import type { LogFields, LogLevel } from '../../../lib/core/log';
import { Redactor, Secret } from '../../../lib/core/secret';

function setUp(options: Partial<LogOptions> & { isTTY?: boolean } = {}) {
  const written: string[] = [];
  const redactor = new Redactor();
  const output = { isTTY: options.isTTY ?? false, write: (line: string) => written.push(line) };
  const log = createLogger({ level: 'debug', redactor, output, environment: {}, ...options });
  return { log, redactor, written, json: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('log level', () => {
  it.each<[NodeJS.ProcessEnv, LogLevel]>([
    [{}, 'info'],
    [{ INTEGRATION_LOG_LEVEL: '' }, 'info'],
    [{ INTEGRATION_LOG_LEVEL: 'WARN' }, 'warn'],
    [{ INTEGRATION_LOG_LEVEL: 'error', INTEGRATION_DEBUG: 'false' }, 'error'],
    [{ INTEGRATION_LOG_LEVEL: 'error', INTEGRATION_DEBUG: 'true' }, 'debug'],
  ])('of %j is %s', (environment, level) => {
    expect(logLevelOf(environment)).toBe(level);
  });

  it('that is unknown is refused with the known ones', () => {
    expect(() => logLevelOf({ INTEGRATION_LOG_LEVEL: 'verbose' })).toThrow(
      expect.objectContaining({
        kind: 'config',
        code: 'invalid_log_level',
        message: expect.stringContaining('verbose'),
        hint: expect.stringContaining('debug, info, warn, error'),
      }),
    );
  });

  it('keeps lines below it out', () => {
    const { log, json } = setUp({ level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
    expect(json().map(({ level }) => level)).toEqual(['warn', 'error']);
  });
});

describe('lines off a terminal', () => {
  it('are JSON with time, level, message and the fields of all loggers above', () => {
    const { log, json, written } = setUp();
    log.with({ integration: 'i', run: 'r' }).with({ stream: 's\n' }).info('rows loaded', { rows: 5, none: undefined });
    expect(json()).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        message: 'rows loaded',
        integration: 'i',
        run: 'r',
        stream: 's\n',
        rows: 5,
      },
    ]);
    expect(new Date(String(json()[0]?.time)).getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(written[0]?.indexOf('\n')).toBe((written[0]?.length ?? 0) - 1);
  });

  it('have each name once', () => {
    const { log, written } = setUp();
    log.info('m', { time: 1, level: 'x', message: 'y', __proto__: 'z' } as LogFields);
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      level: 'info',
      message: 'm',
      time_: 1,
      level_: 'x',
      message_: 'y',
    });
    expect(written[0]?.match(/"(time|level|message)":/g)).toHaveLength(3);
  });

  it('show of an error its message and code alone', () => {
    const { log, json } = setUp();
    const error = Object.assign(new Error('broken'), { code: '23505', detail: 'Key (email)=(a@b.c) exists' });
    log.error('failed', { error } as unknown as LogFields);
    expect(json()[0]?.error).toEqual({ message: 'broken', code: '23505' });
  });

  it('are written whatever a field is', () => {
    const { log, json } = setUp();
    const loop: Record<string, unknown> = { big: 12n, nan: Number.NaN, date: new Date(0), call: () => 1 };
    loop.self = loop;
    log.info('odd', loop as LogFields);
    expect(json()[0]).toMatchObject({ big: '12', nan: 'NaN', date: '1970-01-01T00:00:00.000Z' });
    expect(json()[0]).not.toHaveProperty('call');
  });
});

describe('secrets', () => {
  const password = 'pa"ss\\wörd 1';

  it.each([false, true])('never show, wherever they are (terminal: %s)', (isTTY) => {
    const { log, redactor, written } = setUp({ isTTY });
    for (const value of [password, '20260101', 'message']) redactor.add(value);
    const cause = Object.assign(new Error(`auth failed for ${password}`), { code: password });
    log.with({ [password]: 1, own: `x${password}` }).warn(`at postgresql://u:${encodeURIComponent(password)}@h/`, {
      deep: [{ url: `?p=${password}` }, [password]],
      json: JSON.stringify({ password }),
      number: 1202601012,
      cause: cause as unknown as string,
      secret: new Secret('another') as unknown as string,
    });
    const all = written.join('');
    for (const form of [
      password,
      JSON.stringify(password).slice(1, -1),
      encodeURIComponent(password),
      '20260101',
      'another',
    ]) {
      expect(all).not.toContain(form);
    }
    expect(all).toContain('[secret]');
    if (!isTTY)
      expect(JSON.parse(all)).toMatchObject({
        level: 'warn',
        number: '1[secret]2',
        deep: [{ url: '?p=[secret]' }, ['[secret]']],
      });
  });

  it('that become known later are kept out from then on', () => {
    const { log, redactor, written } = setUp();
    const child = log.with({ password: 'late-secret' });
    redactor.add('late-secret');
    child.info('x');
    expect(written.join('')).not.toContain('late-secret');
  });
});

describe('lines on a terminal', () => {
  const line = (environment: NodeJS.ProcessEnv, fields: LogFields = {}, message = 'rows loaded') => {
    const { log, written } = setUp({ isTTY: true, environment });
    log.warn(message, fields);
    return written.join('');
  };

  it('can be read', () => {
    const shown = line({ NO_COLOR: '1' }, { stream: 'public.orders', rows: 5, note: 'two words', list: [1] });
    expect(shown).toMatch(
      /^\d\d:\d\d:\d\d warn {2}rows loaded {2}stream=public\.orders {2}rows=5 {2}note="two words" {2}list=\[1\]\n$/,
    );
  });

  it('have colours unless NO_COLOR or a dumb terminal says no', () => {
    expect(line({})).toContain('\u001b[33mwarn');
    expect(line({ NO_COLOR: '1' })).not.toContain('\u001b');
    expect(line({ TERM: 'dumb' })).not.toContain('\u001b');
  });

  it('do not let a value command the terminal', () => {
    expect(line({ NO_COLOR: '1' }, { name: '\u001b[2J' }, 'a\u001b]0;title\u0007b\rc')).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});
