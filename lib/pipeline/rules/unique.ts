import { type Row, UNCHANGED, type Value } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { ValidationRuleOf } from '../../core/validation-rules';
import { eachRow } from '../each-row';
import { Mark } from '../frame';
import type { Slot } from '../layout';
import { fieldOf, type Step } from '../step';
import { SeenValues } from './seen-values';

const MOST_VALUES = 5_000_000;
const SKIPPED = Mark.Broken | Mark.Filtered | Mark.Deleted;

/**
 * No other record of the run has the same value, or the same within equal values of other fields. Versions of one record,
 * which has the same key (without a key: is equal throughout), are no duplicates of each other. The first one that is seen
 * keeps the value for the whole run; a deletion does not free it.
 */
export function unique({ field, required, within = [] }: ValidationRuleOf<'unique'>, path: string): Step {
  const streams = new Map<string, SeenValues>();
  return {
    serial: true,
    bind(binding) {
      const slot = fieldOf(binding, field, 'field');
      const others = within.map((name, index) => fieldOf(binding, name, `within[${index}]`));
      if (slot === undefined || others.includes(undefined)) return undefined;
      const { stream, fields } = binding.layout;
      const seen = streams.get(stream) ?? new SeenValues(MOST_VALUES);
      streams.set(stream, seen);
      const compared = [...others.flatMap((other) => other ?? []), slot];
      const keys = fields.filter(({ isKey }) => isKey);
      const owners = keys.length > 0 ? keys : fields;
      const failed = binding.failure('is not unique', slot, 'unique');
      const { emptied: _, ...missing } = binding.failure('is required', slot, 'unique');
      return {
        run: (frame) =>
          eachRow(frame, SKIPPED, (row, place) => {
            const value = row[slot.index];
            if (required === true && (value === null || value === '')) frame.fail(place, missing);
            if (value === null || compared.some(({ index }) => row[index] === UNCHANGED)) return;
            const free = seen.take(textOf(row, compared), textOf(row, owners));
            if (free === 'full') throw tooMany(stream, `${path}.field`);
            if (!free) frame.fail(place, failed);
          }),
      };
    },
  };
}

/** Different cells never give the same text. */
function textOf(row: Row, slots: readonly Slot[]): string {
  let text = '';
  for (const { index } of slots) {
    const cell = cellText(row[index]);
    text += cell === undefined ? '-' : `${cell.length}:${cell}`;
  }
  return text;
}

function cellText(value: Value | undefined): string | undefined {
  if (value === null || value === undefined || value === UNCHANGED) return undefined;
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
}

function tooMany(stream: string, path: string): Fault {
  return new Fault('config', 'too_many_values', `syncing ${stream}: ${path} has more than 5,000,000 different values`, {
    hint: 'The rule "unique" keeps what it has seen in memory. Leave it out here and put a unique index on the loaded table.',
  });
}
