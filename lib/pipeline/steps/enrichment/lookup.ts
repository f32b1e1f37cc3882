import { UNCHANGED, type Value } from '../../../core/batch';
import type { EnrichmentOf } from '../../../core/transformations';
import { type Frame, passedOver } from '../../frame';
import { readField, wrong } from '../../step';
import { type Enrichment, type MakeEnrichment, newField } from './enrichment';
import { LeastRecent } from './least-recent';

const REMEMBERED = 10_000;
const KEYS_AT_ONCE = 5000;

/** A column of a table of the destination, as text; NULL where the table has no such row. */
export function lookup(config: EnrichmentOf<'lookup'>, ...[at, , services]: MakeEnrichment): Enrichment {
  const { field, input_field: input, table, match, value } = config;
  const remembered = new LeastRecent<string, Value>(REMEMBERED);
  const ask = async (keys: readonly string[], found: Map<string, Value>): Promise<void> => {
    for (let start = 0; start < keys.length; start += KEYS_AT_ONCE) {
      const group = keys.slice(start, start + KEYS_AT_ONCE);
      const answer = await services.lookup({ table, match, value, keys: group });
      for (const key of group) {
        const cell = answer.get(key) ?? null;
        found.set(key, cell);
        remembered.set(key, cell);
      }
    }
  };
  return (binding) => {
    const from = readField(binding, input, `${at}.input_field`);
    if (from === undefined) return undefined;
    const { type } = from.column;
    if (type === 'bytes' || type === 'json') {
      throw wrong(`${binding.path}.${at}.input_field`, `"${input}" holds ${type}, which cannot be looked for`);
    }
    const source = from.index;
    const target = newField(binding, at, field, 'text');
    const skip = passedOver(target);
    // By frame, as batches of one shape may be under way at the same time.
    const fetched = new WeakMap<Frame, ReadonlyMap<string, Value>>();
    return {
      async prefetch(frame) {
        const found = new Map<string, Value>();
        const missing = new Set<string>();
        for (const [place, row] of frame.rows.entries()) {
          const key = keyOf(row[source]);
          if (((frame.marks[place] ?? 0) & skip) !== 0 || key === undefined || found.has(key)) continue;
          const known = remembered.get(key);
          if (known === undefined) missing.add(key);
          else found.set(key, known);
        }
        await ask([...missing], found);
        fetched.set(frame, found);
      },
      run(frame) {
        const found = fetched.get(frame);
        for (const [place, row] of frame.rows.entries()) {
          if (((frame.marks[place] ?? 0) & skip) !== 0) continue;
          const key = keyOf(row[source]);
          row[target.index] =
            row[source] === UNCHANGED ? UNCHANGED : key === undefined ? null : (found?.get(key) ?? null);
        }
      },
    };
  };
}

function keyOf(value: Value | undefined): string | undefined {
  return value === null || value === undefined || value === UNCHANGED ? undefined : String(value);
}
