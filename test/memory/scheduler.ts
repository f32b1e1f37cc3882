import { EmbeddedScheduler } from '../../lib/adapters/embedded/scheduler';
import type { Logger } from '../../lib/core/log';
import type { Clock } from '../../lib/core/ports';
import { MemoryStateStore } from './state';

const ignore = (): void => undefined;

/** A logger that says nothing. */
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, with: () => silentLog };

/** The embedded scheduler on state in memory. */
export function memoryScheduler(clock: Clock): EmbeddedScheduler {
  return new EmbeddedScheduler(new MemoryStateStore(clock), clock, silentLog);
}
