import type { CursorCandidate, StreamInfo } from '../../../lib/core/connector';
import { type IntegrationFields, integrationFields } from '../../../lib/core/integration';
import { chooseCursor } from '../../../lib/engine/cursor';
import { decide, describePlan, namespaceOf, unknownStreams } from '../../../lib/engine/planning';
import { faultOf } from './home';

type Facts = Partial<CursorCandidate>;

/** A stream whose candidates are the given columns; `note` is a column that cannot order. */
function stream(candidates: Record<string, Facts>, more: Partial<StreamInfo> = {}, key: string[] = ['id']): StreamInfo {
  const columns = [...Object.keys(candidates), 'note'].map((name) => ({
    name,
    type: 'timestamptz' as const,
    nullable: true,
    native: 'x',
  }));
  const cursors = Object.entries(candidates).map(([column, facts]) => ({
    column,
    nullable: false,
    indexed: true,
    coarse: false,
    ...facts,
  }));
  return { schema: { stream: 'orders', key, columns }, modes: ['full', 'incremental'], cursors, notes: [], ...more };
}

const fields = (more: object = {}): IntegrationFields => integrationFields.parse({ name: 'shop', type: 'x', ...more });
const general = (column: string) => fields({ sync_strategy: { type: 'incremental', timestamp_field: column } });

describe('chooseCursor', () => {
  it('takes first what the stream names, then what the strategy names, then what custom names', () => {
    const info = stream({ a: {}, b: {}, updated_at: {} });
    const own = fields({ sync_strategy: { timestamp_field: 'b' }, streams: { orders: { cursor: 'a' } } });
    expect(chooseCursor(info, own)).toMatchObject({ column: 'a', reason: expect.stringContaining('streams.orders') });
    expect(chooseCursor(info, general('b'))).toMatchObject({
      column: 'b',
      reason: expect.stringContaining('timestamp_field'),
    });
    expect(chooseCursor(info, fields())).toMatchObject({
      column: 'updated_at',
      reason: expect.stringContaining('by its name'),
    });
  });

  it("prefers the source's own order of changes to columns, unless the stream names one", () => {
    const info = stream({ _seq: { sequence: true }, b: {}, updated_at: {} });
    expect(chooseCursor(info, general('b'))).toMatchObject({
      column: '_seq',
      reason: expect.stringContaining('own order of changes'),
      warnings: [],
    });
    expect(chooseCursor(info, fields({ streams: { orders: { cursor: 'b' } } })).column).toBe('b');
  });

  it('falls back to custom where a stream does not have the column that the strategy names', () => {
    expect(chooseCursor(stream({ modified_at: {} }), general('b')).column).toBe('modified_at');
  });

  it.each(['created_at', 'id', 'inserted', 'update'])('never chooses %s by itself', (name) => {
    const choice = chooseCursor(stream({ [name]: {} }), fields());
    expect(choice.column).toBeUndefined();
    expect(choice.warnings).toEqual([expect.stringContaining('no cursor')]);
  });

  it('says which column is missing when nothing serves', () => {
    expect(chooseCursor(stream({ id: {} }), general('changed')).reason).toContain('it has no column "changed"');
  });

  it('recognises custom in any case, and gives the name as it is', () => {
    expect(chooseCursor(stream({ UpdatedAt: {} }), fields()).column).toBe('UpdatedAt');
  });

  it.each([
    ['not nullable', { updated_at: { nullable: true }, modified: {} }, 'modified'],
    ['indexed', { updated_at: { indexed: false }, modified: {} }, 'modified'],
    ['not nullable before indexed', { updated_at: { nullable: true }, modified: { indexed: false } }, 'modified'],
    ['the better name', { modified: {}, updated_at: {} }, 'updated_at'],
  ] as const)('prefers a column that is %s', (_why, candidates, expected) => {
    expect(chooseCursor(stream(candidates), fields()).column).toBe(expected);
  });

  it.each([
    ['note', 'type that cannot order'],
    ['nowhere', 'has no column "nowhere"'],
  ])('calls it a problem when a stream names %s', (cursor, problem) => {
    const choice = chooseCursor(stream({ updated_at: {} }), fields({ streams: { orders: { cursor } } }));
    expect(choice).toMatchObject({ problem: expect.stringContaining(problem) });
    expect(choice.column).toBeUndefined();
  });

  it.each<[string, Facts, string[], RegExp]>([
    ['that rows without a value are read again each time', { nullable: true }, ['id'], /may be null: .* each time$/],
    ['that every increment scans the table', { indexed: false }, ['id'], /has no index: every increment scans/],
    ['that equal values are read again', { coarse: true }, ['id'], /is coarse: rows of the last value .* read again/],
    ['that an update makes a second row', {}, [], /^no key: an updated row arrives as a new row/],
  ])('warns %s', (_, facts, key, warning) => {
    const { warnings } = chooseCursor(stream({ updated_at: facts }, {}, key), fields());
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it('warns of nothing where nothing is wrong', () => {
    expect(chooseCursor(stream({ updated_at: {} }), fields()).warnings).toEqual([]);
  });
});

describe('decide', () => {
  const incremental = { sync_strategy: { type: 'incremental', lookback: '5m' } };
  const one = (info: StreamInfo, more: object = {}, requested?: 'full' | 'incremental') =>
    decide([info], fields(more), requested)[0];

  it('reads by cursor with the lookback in milliseconds', () => {
    expect(one(stream({ updated_at: {} }), incremental)).toMatchObject({
      mode: 'incremental',
      cursor: { column: 'updated_at', lookbackMs: 300_000 },
    });
  });

  it('lets a request win over the stream, the stream over the document, and the default be full', () => {
    const info = stream({ updated_at: {} });
    const own = { ...incremental, streams: { orders: { mode: 'full' } } };
    expect(one(info)?.mode).toBe('full');
    expect(one(info, own)?.mode).toBe('full');
    expect(one(info, own, 'incremental')?.mode).toBe('incremental');
    expect(one(info, incremental, 'full')?.mode).toBe('full');
  });

  it('keeps a place for increments in a full read, unless there is no key', () => {
    expect(one(stream({ updated_at: {} }), {}, 'full')?.cursor?.column).toBe('updated_at');
    expect(one(stream({ updated_at: {} }, {}, []), {}, 'full')?.cursor).toBeUndefined();
  });

  it('reads fully, and says why, where no cursor serves or the source cannot', () => {
    expect(one(stream({ id: {} }), incremental)).toMatchObject({
      mode: 'full',
      reason: expect.stringContaining('fully'),
    });
    const info = stream({ updated_at: {} }, { modes: ['full'] });
    expect(one(info, incremental)).toMatchObject({ mode: 'full' });
    const named = one(info, { sync_strategy: { type: 'incremental', timestamp_field: 'note' } });
    expect(named).toMatchObject({ mode: 'full', warnings: [] });
    expect(named?.fault).toBeUndefined();
  });

  it('gives a reason that fits when the source cannot read by increments', () => {
    expect(one(stream({ updated_at: {} }, { modes: ['full'] }), incremental)?.reason).toMatch(/full/);
  });

  it('fails a stream whose named cursor cannot serve, with a hint', () => {
    const decision = one(stream({ updated_at: {} }), { ...incremental, streams: { orders: { cursor: 'note' } } });
    expect(decision?.fault).toMatchObject({ kind: 'config', code: 'invalid_cursor', hint: expect.any(String) });
  });

  it('passes on why a stream cannot be read', () => {
    const info = stream({ updated_at: {} }, { unreadable: faultOf('config', 'permission_denied') });
    expect(one(info)).toMatchObject({ fault: { code: 'permission_denied', hint: expect.any(String) } });
  });

  it('leaves out what is not enabled', () => {
    expect(one(stream({}), { streams: { orders: { enabled: false } } })).toBeUndefined();
    expect(one(stream({}), { streams: { orders: { enabled: true } } })).toBeDefined();
  });

  it('finds names under streams that the source does not have', () => {
    const settings = fields({ streams: { orders: {}, oders: { enabled: false } } });
    expect(unknownStreams([stream({})], settings)).toEqual(['oders']);
  });

  it('is described with schema, cursor, key, estimate and warnings', () => {
    const info = stream({ updated_at: { coarse: true } }, { estimate: { rows: 5, bytes: 60 }, notes: ['a view'] });
    const settings = fields({ ...incremental, destination: { schema: 'Shop data' } });
    expect(describePlan(settings, decide([info], settings), ['careful'])).toEqual({
      integration: 'shop',
      warnings: ['careful'],
      streams: [
        {
          stream: 'orders',
          mode: 'incremental',
          cursor: 'updated_at',
          reason: expect.stringContaining('updated_at'),
          key: ['id'],
          schema: 'Shop data',
          estimatedRows: 5,
          estimatedBytes: 60,
          warnings: ['a view', expect.stringContaining('coarse')],
        },
      ],
    });
    expect(namespaceOf(fields())).toBe('shop');
  });
});
