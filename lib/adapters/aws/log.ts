import { Logger as Powertools } from '@aws-lambda-powertools/logger';
import type { LogFields, Logger } from '../../core/log';
import { redacted } from '../../core/redacted';
import type { Redactor } from '../../core/secret';

/** Powertools' structured log, without secrets, wherever they surface. */
export function powertoolsLog(serviceName: string, redactor: Redactor): Logger {
  return over(new Powertools({ serviceName }), redactor, {});
}

function over(powertools: Powertools, redactor: Redactor, fixed: LogFields): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) =>
      powertools[level](redactor.redact(message), { fields: redacted({ ...fixed, ...fields }, redactor) ?? null });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => over(powertools, redactor, { ...fixed, ...fields }),
  };
}
