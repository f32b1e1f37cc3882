import { Fault } from '../../core/fault';
import type { LogLevel } from '../../core/log';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * The level that INTEGRATION_LOG_LEVEL and INTEGRATION_DEBUG ask for; `info` when they are unset.
 * @throws Fault `config`/`invalid_log_level`
 */
export function logLevelOf(environment: NodeJS.ProcessEnv): LogLevel {
  if (environment.INTEGRATION_DEBUG?.trim().toLowerCase() === 'true') return 'debug';
  const given = environment.INTEGRATION_LOG_LEVEL?.trim().toLowerCase();
  if (!given) return 'info';
  const level = LEVELS.find((known) => known === given);
  if (level !== undefined) return level;
  throw new Fault('config', 'invalid_log_level', `reading INTEGRATION_LOG_LEVEL: "${given}" is no log level`, {
    hint: `Set INTEGRATION_LOG_LEVEL to one of ${LEVELS.join(', ')}.`,
  });
}
