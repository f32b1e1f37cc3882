import type { IntegrationFigures } from '../core/service';
import type { EngineContext } from './context';
import { observe } from './observe';
import { roundedHealth, roundedStats } from './rounding';

/** Everything that can be measured of every integration, in the order of names; the runs of each are read once. */
export async function figuresOf(context: EngineContext): Promise<readonly IntegrationFigures[]> {
  return (await observe(context)).map(({ integration, document, health, stats }) => ({
    integration,
    type: String(document.type),
    enabled: document.enabled !== false,
    health: roundedHealth(health),
    stats: roundedStats(stats),
  }));
}
