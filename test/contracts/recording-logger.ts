import type { LogFields, Logger, LogLevel } from '../../lib/core/log';

/** One recorded line. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines. */
export function recordingLogger(lines: LogLine[] = [], common: LogFields = {}): { log: Logger; lines: LogLine[] } {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields: { ...common, ...fields } });
  };
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => recordingLogger(lines, { ...common, ...fields }).log,
  };
  return { log, lines };
}
