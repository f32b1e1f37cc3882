import { pino } from 'pino';
import type { LogFields, Logger, LogLevel } from '../../core/log';
import { redacted } from '../../core/redacted';
import type { Redactor } from '../../core/secret';
import { readableLine } from './log-line';

/** Where lines go: `process.stderr`, or what stands in for it. */
export interface LogOutput {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

/** How to log. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly redactor: Redactor;
  readonly output?: LogOutput;
  readonly environment?: NodeJS.ProcessEnv;
}

type Fields = { readonly [name: string]: unknown };
type Write = (level: LogLevel, message: string, fields: Fields) => void;

// Names that a line has anyway; a field of that name would give it two of them.
const RESERVED = new Set(['time', 'level', 'message']);

/** A logger that writes JSON lines, or readable ones when its output is a terminal. */
export function createLogger({
  level,
  redactor,
  output = process.stderr,
  environment = process.env,
}: LogOptions): Logger {
  const target = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    output as { write(line: string): void },
  );
  const colors = !environment.NO_COLOR && environment.TERM !== 'dumb';
  const write: Write = output.isTTY
    ? (severity, message, fields) => output.write(readableLine(severity, new Date(), message, fields, { colors }))
    : (severity, message, fields) => target[severity](fields, message);
  return loggerOf((severity, message, fields) => {
    if (target.isLevelEnabled(severity)) write(severity, redactor.redact(message), plain(fields, redactor));
  }, {});
}

function loggerOf(write: Write, own: LogFields): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => write(level, message, { ...own, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => loggerOf(write, { ...own, ...fields }),
  };
}

function plain(fields: Fields, redactor: Redactor): Fields {
  const result = Object.entries(redacted(fields, redactor) ?? {});
  return Object.fromEntries(result.map(([name, value]) => [RESERVED.has(name) ? `${name}_` : name, value]));
}
