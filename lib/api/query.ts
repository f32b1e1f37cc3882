import type { Context } from 'hono';
import * as z from 'zod';
import { parseConfig } from '../core/config';
import { Fault } from '../core/fault';
import { refusal } from './problem';

const LARGEST_PAGE = 500;

const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(LARGEST_PAGE)
  .default(50)
  .meta({ description: 'How many to give at most.' });

/** Which page of a list. */
export const pageQuery = z.strictObject({
  limit,
  after: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'Id of the last item of the page before; `next` and the `Link` header hold it.' })
    .optional(),
});

/** No parameters at all. */
export const noQuery = z.strictObject({});

/** A switch in the query. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The query parameters parsed by `schema`; unknown and repeated ones are refused by name. */
export function readQuery<S extends z.ZodObject>(c: Context, schema: S): z.output<S> {
  const given = Object.entries(c.req.queries()).map(([key, values]) => [key, values.length === 1 ? values[0] : values]);
  try {
    return parseConfig(schema, Object.fromEntries(given));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const errors = (error.issues ?? []).map(({ path, message }) => ({ path, message }));
    const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw refusal(c, 'invalid_parameter', `reading the query: ${detail}`, { errors });
  }
}

/** One page of a list that was asked for with one item more than the page holds. */
export interface Page<T> {
  readonly items: readonly T[];
  /** `after` of the next page. */
  readonly next?: string;
}

/** Cuts the surplus item off; where there was one, sets the `Link` header to the next page. */
export function pageOf<T extends { readonly id: string }>(c: Context, found: readonly T[], size: number): Page<T> {
  const items = found.slice(0, size);
  const last = items.at(-1);
  if (found.length <= size || last === undefined) return { items };
  const parameters = new URLSearchParams(c.req.query());
  parameters.set('limit', String(size));
  parameters.set('after', last.id);
  c.header('Link', `<${c.req.path}?${parameters}>; rel="next"`);
  return { items, next: last.id };
}
