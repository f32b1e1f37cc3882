import type { Batch } from '../../../lib/core/batch';
import type { Rejection } from '../../../lib/core/destination';
import type { Pipeline } from '../../../lib/core/pipeline';
import type { StreamSchema } from '../../../lib/core/schema';
import { document, faultOf, Home, syncAll } from './home';

/** Rejects rows with an even id and drops the last column of the others. Counts how often it was bound. */
function odd(): { readonly pipeline: Pipeline; readonly bound: string[] } {
  const bound: string[] = [];
  const outputs = new Map<string, StreamSchema>();
  const pipeline: Pipeline = {
    fingerprint: 'odd',
    concerns: () => true,
    isSerial: () => false,
    bind(stream) {
      bound.push(stream.stream);
      const output = outputs.get(stream.stream) ?? { ...stream, columns: stream.columns.slice(0, -1) };
      outputs.set(stream.stream, output);
      return {
        output,
        notes: [],
        run(batch) {
          const even = batch.rows.filter((row) => Number(row[0]) % 2 === 0);
          const rejected = even.map((row) => ({ row, schema: stream, reasons: [{ message: 'even', field: 'id' }] }));
          const rows = batch.rows.filter((row) => Number(row[0]) % 2 === 1).map((row) => row.slice(0, -1));
          return { batch: { ...batch, schema: output, rows }, rejected, skipped: 0 };
        },
      };
    },
  };
  return { pipeline, bound };
}

describe('a pipeline', () => {
  let home: Home;
  beforeEach(() => {
    home = new Home();
    home.bytes = true;
    home.fill('orders', 5);
  });

  it('gets rows although bytes could pass, is bound once per shape, and its rejections go with the batch', async () => {
    const { pipeline, bound } = odd();
    home.pipeline = pipeline;
    const engine = home.engine();
    await engine.service.create(document());
    const written: { readonly kind: Batch['kind']; readonly rejected: readonly Rejection[] }[] = [];
    home.hooks.write = ({ kind }, { rejected = [] }) => void written.push({ kind, rejected });
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 3, quarantined: 2 });
    expect(run.streams[0]).toMatchObject({ rows: 3, quarantined: 2 });
    expect(written.map(({ kind }) => kind)).toEqual(['rows', 'rows', 'rows']);
    expect(written.map(({ rejected }) => rejected.map(({ row }) => row[0]))).toEqual([[2], [4], []]);
    expect(bound).toEqual(['orders']);
    expect(home.store.visible('shop', 'orders')).toEqual(['1|text 1', '3|text 3', '5|text 5']);
    expect(home.store.tables.get('shop/orders')?.schema.columns.map(({ name }) => name)).toEqual(['id', 'text']);
  });

  it('that cannot be bound fails its stream', async () => {
    home.pipeline = {
      fingerprint: 'none',
      concerns: () => true,
      isSerial: () => false,
      bind: () => {
        throw faultOf('config', 'unknown_field');
      },
    };
    const engine = home.engine();
    await engine.service.create(document());
    expect(await syncAll(home, engine)).toMatchObject({ state: 'failed', fault: { code: 'unknown_field' } });
    expect(home.visible('orders')).toBe(0);
  });

  it('that is not there lets bytes pass', async () => {
    const engine = home.engine();
    await engine.service.create(document());
    const kinds = new Set<string>();
    home.hooks.write = ({ kind }) => void kinds.add(kind);
    expect(await syncAll(home, engine)).toMatchObject({ rows: 5, quarantined: 0 });
    expect([...kinds]).toEqual(['bytes']);
  });
});
