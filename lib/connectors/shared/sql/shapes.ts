import { type Column, RECORD_ID, type StreamSchema } from '../../../core/schema';
import type { SqlColumn, SqlRelation } from './relation';

/** Remembers the schemas of a source, so that one that has not changed stays the same object. */
export class Shapes {
  readonly #schemas = new Map<string, StreamSchema>();
  readonly #extended = new Map<string, StreamSchema>();

  same<C extends SqlColumn>(relation: SqlRelation<C>): SqlRelation<C> {
    return { ...relation, info: { ...relation.info, schema: sameUntilChanged(this.#schemas, relation.info.schema) } };
  }

  /** The schema with a record id as its key. */
  extended(schema: StreamSchema, native: string): StreamSchema {
    const id: Column = { name: RECORD_ID, type: 'text', nullable: false, native };
    return sameUntilChanged(this.#extended, { ...schema, columns: [id, ...schema.columns], key: [RECORD_ID] });
  }
}

function sameUntilChanged(known: Map<string, StreamSchema>, schema: StreamSchema): StreamSchema {
  const former = known.get(schema.stream);
  if (former && JSON.stringify(former) === JSON.stringify(schema)) return former;
  known.set(schema.stream, schema);
  return schema;
}
