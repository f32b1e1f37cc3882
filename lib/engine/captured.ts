import { type Batch, Op } from '../core/batch';

/** Changes without those that take records away, which a document may leave out; positions move on all the same. */
export async function* withoutDeletes(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    if (batch.kind === 'truncate') yield { ...batch, kind: 'rows', rows: [] };
    else if (batch.kind === 'rows' && batch.ops?.includes(Op.Delete)) {
      const { schema, after, sourceTime, ops, rows } = batch;
      const isKept = (_: unknown, index: number) => ops[index] !== Op.Delete;
      yield {
        kind: 'rows',
        schema,
        after,
        ...(sourceTime !== undefined && { sourceTime }),
        ...(batch.open && { open: true as const }),
        rows: rows.filter(isKept),
        ops: ops.filter(isKept),
      };
    } else yield batch;
  }
}
