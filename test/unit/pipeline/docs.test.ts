import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Row, Value } from '../../../lib/core/batch';
import type { Json } from '../../../lib/core/json';
import type { ColumnType } from '../../../lib/core/schema';
import { transformation } from '../../../lib/core/transformations';
import { validationRule } from '../../../lib/core/validation-rules';
import { openPlaces } from '../../../lib/places/places';
import { noServices, pipe, stream } from './pipe';

const page = readFileSync(fileURLToPath(new URL('../../../docs/pipeline.md', import.meta.url)), 'utf8');
const document = z.strictObject({
  transformations: z.array(transformation).optional(),
  validation_rules: z.array(validationRule).optional(),
  error_handling: z.unknown().optional(),
});
type Fields = { readonly [name: string]: Json };

/** Examples of the page: what stands in each block of JSON, and the lines `before` → `after` below it. */
const examples = page
  .split('```json\n')
  .slice(1)
  .map((part) => {
    const [config = '', below = ''] = part.split('\n```');
    const until = below.split(/\n#+ /)[0] ?? '';
    const turns = [...until.matchAll(/^`(\{.*\})` → (?:`(\{.*\})`|fails: (.*))$/gm)];
    return { config, turns: turns.map(([, before = '', after, problem]) => ({ before, after, problem })) };
  });

describe('the examples of docs/pipeline.md', () => {
  it('are found', () => {
    expect(examples.length).toBeGreaterThan(6);
    expect(examples.flatMap(({ turns }) => turns).length).toBeGreaterThan(9);
  });

  it.each(examples.map(({ config }) => config))('are valid: %s', (config) => {
    expect(document.safeParse(JSON.parse(config)).error).toBeUndefined();
  });

  it.each(examples.flatMap(({ config, turns }) => turns.map((turn) => ({ config, ...turn }))))(
    'hold: $before',
    async ({ config, before, after, problem }) => {
      const { transformations = [], validation_rules = [] } = document.parse(JSON.parse(config));
      const record = JSON.parse(before) as Fields;
      const schema = stream({ id: 'int32', ...types(record) });
      const services = { ...noServices, places: openPlaces(undefined) };
      const row: Row = [1, ...Object.values(record).map(cell)];
      const parts = { steps: transformations, rules: validation_rules, services };
      const { batch, rejected } = await pipe(parts, schema, [row]);
      expect(rejected[0]?.reasons[0]?.message).toBe(problem);
      if (after === undefined) return;
      const names = batch.schema.columns.map(({ name }) => name);
      const values = (batch.rows[0] ?? []).map((value, index) => fieldOf(value, batch.schema.columns[index]?.type));
      const made = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      expect({ ...made, id: undefined }).toEqual({ ...(JSON.parse(after) as Fields), id: undefined });
    },
  );
});

function types(record: Fields): { readonly [name: string]: ColumnType } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, typeOf(value)]));
}

function typeOf(value: Json): ColumnType {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value !== 'number') return 'json';
  return Number.isInteger(value) ? 'int32' : 'float64';
}

function cell(value: Json): Value {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

function fieldOf(value: Value, type: ColumnType | undefined): unknown {
  if (type === 'json') return JSON.parse(String(value));
  return typeof value === 'bigint' ? Number(value) : value;
}
