import type { Json } from './json';

/** Severity from least to most. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Facts beside a log message; never a row's values below `debug`, never a secret. */
export type LogFields = { readonly [name: string]: Json | undefined };

/** The one way to write a log line. Implementations redact secrets by value before anything leaves the process. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  with(fields: LogFields): Logger;
}
