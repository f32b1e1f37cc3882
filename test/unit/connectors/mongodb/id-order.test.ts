import { BSON } from 'mongodb';
import { bracketOf, rangeFilters } from '../../../../lib/connectors/mongodb/id-order';

const text = (value: unknown) => BSON.EJSON.stringify(value, { relaxed: false });
const filters = (after?: unknown, upTo?: unknown) =>
  rangeFilters({
    ...(after !== undefined && { after: text(after) }),
    ...(upTo !== undefined && { upTo: text(upTo) }),
  }).map(({ filter }) => filter._id ?? filter);

describe('ranges of identifiers', () => {
  it('within one type are one query', () => {
    expect(filters()).toEqual([{}]);
    expect(filters('a', 'b')).toEqual([{ $gt: 'a', $lte: 'b' }]);
    expect(JSON.stringify(filters(1, 5))).toBe('[{"$gt":1,"$lte":5}]');
  });

  it('over types have all that lies between, and open ends', () => {
    expect(filters('a', true)).toEqual([{ $gt: 'a' }, { $type: ['object', 'binData', 'objectId'] }, { $lte: true }]);
    expect(filters(undefined, 'b')).toEqual([
      { $type: ['minKey', 'null', 'int', 'long', 'double', 'decimal'] },
      { $lte: 'b' },
    ]);
    expect(filters(new Date(0))).toEqual([
      { $gt: new Date(0) },
      { $type: ['timestamp'] },
      { $type: ['dbPointer'] },
      { $type: ['javascript'] },
      { $type: ['javascriptWithScope'] },
      { $type: ['maxKey'] },
    ]);
  });

  it('ask for strings by the lowest, since symbols are among them', () => {
    expect(filters(1, {})[1]).toEqual({ $gte: '' });
    expect(filters(new BSON.MinKey(), {})[0]).toEqual({
      $or: [{ _id: { $type: ['null', 'int', 'long', 'double', 'decimal'] } }, { _id: { $gte: '' } }],
    });
  });

  it('know NaN, which compares with nothing, as the lowest number', () => {
    const [lowest] = filters(Number.NaN);
    expect(lowest).toEqual({ $gte: Number.NEGATIVE_INFINITY });
    expect(filters(undefined, 5).at(-1)).toEqual({ $or: [{ _id: Number.NaN }, { _id: { $lte: expect.anything() } }] });
    expect(filters(new BSON.MinKey(), Number.NaN)).toEqual([{ $type: ['null'] }, Number.NaN]);
  });

  it('know types with one value', () => {
    expect(filters(new BSON.MaxKey())).toEqual([]);
    expect(filters(undefined, new BSON.MinKey())).toEqual([{ $type: ['minKey'] }]);
  });

  it('take a document for what it is', () => {
    expect(bracketOf(text({ a: 1 }))).toBe(bracketOf(text({})));
    expect(bracketOf(text(new BSON.Code('f', {})))).toBeGreaterThan(bracketOf(text(new BSON.Code('f'))));
  });
});
