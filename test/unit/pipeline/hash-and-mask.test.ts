import { createHash, createHmac } from 'node:crypto';
import { Op, UNCHANGED } from '../../../lib/core/batch';
import { pipe, pipelineOf, stream } from './pipe';

const sha = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

describe('hash', () => {
  const schema = stream({ id: 'int64', email: 'text', photo: 'bytes' });

  it('gives the SHA-256 of the text, of bytes that of the bytes, as text; NULL stays NULL', async () => {
    const { batch } = await pipe({ steps: [{ type: 'hash', fields: ['id', 'email', 'photo'] }] }, schema, [
      [12n, 'ann@example.com', Buffer.from([0, 255])],
      [13n, null, UNCHANGED],
    ]);
    expect(batch.rows).toEqual([
      [sha('12'), sha('ann@example.com'), sha(Buffer.from([0, 255]))],
      [sha('13'), null, UNCHANGED],
    ]);
    expect(batch.schema.columns.map(({ type }) => type)).toEqual(['text', 'text', 'text']);
    // No `inet` or `char(5)` of the source any more.
    expect(batch.schema.columns[1]?.native).toBe('explorerio/text');
    expect(batch.schema).toMatchObject({ key: ['id'] });
    expect(batch.schema.columns[0]?.nullable).toBe(false);
  });

  it('takes a key, which is not in the fingerprint', async () => {
    const steps = (key: string) => ({ steps: [{ type: 'hash' as const, fields: ['email'], key }] });
    const { batch } = await pipe(steps('secret'), schema, [[1n, 'a', null]]);
    expect(batch.rows[0]?.[1]).toBe(createHmac('sha256', 'secret').update('a').digest('hex'));
    expect((await pipelineOf(steps('one'))).fingerprint).toBe((await pipelineOf(steps('two'))).fingerprint);
  });

  it('hides the key of a deletion in the same way, and leaves its other cells alone', async () => {
    const { batch } = await pipe(
      { steps: [{ type: 'hash', fields: ['id', 'email'] }] },
      schema,
      [[12n, 'left over', null]],
      { ops: [Op.Delete], load: false },
    );
    expect(batch.rows[0]?.slice(0, 2)).toEqual([sha('12'), 'left over']);
    expect([...(batch.ops ?? [])]).toEqual([Op.Delete]);
  });
});

describe('mask', () => {
  const masked = async (text: string, options: object = {}) => {
    const { batch } = await pipe(
      { steps: [{ type: 'mask', fields: ['value'], ...options }] },
      stream({ id: 'int32', value: 'text' }),
      [[1, text]],
    );
    return batch.rows[0]?.[1];
  };

  it.each([
    ['ann@example.com', {}, '***@*******.***'],
    ['+49 170 1234567', { keep_end: 3 }, '+** *** ****567'],
    ['4111-1111-1111-1234', { keep_start: 2, keep_end: 4, character: '#' }, '41##-####-####-1234'],
    ['1234', { keep_end: 4 }, '****'],
    ['ab', { keep_start: 1, keep_end: 1 }, '**'],
    ['José 😀 Ünal', { keep_start: 1 }, 'J*** 😀 ****'],
    ['a$1b', { character: '$' }, '$$$$'],
  ])('makes of %s with %j %s', async (text, options, expected) => {
    expect(await masked(text, options)).toBe(expected);
  });

  it('gives text of numbers, leaves NULL, and refuses keys and bytes', async () => {
    const schema = stream({ id: 'int32', n: 'decimal', raw: 'bytes' });
    const { batch } = await pipe({ steps: [{ type: 'mask', fields: ['n'] }] }, schema, [
      [1, '-12.50', null],
      [2, null, null],
    ]);
    expect(batch.rows.map((row) => row[1])).toEqual(['-**.**', null]);
    expect(batch.schema.columns[1]).toMatchObject({ type: 'text' });
    for (const [field, message] of [
      ['id', /transformations\[0\]\.fields\[0\]: "id" is part of the key of orders/],
      ['raw', /"raw" holds bytes; use "hash"/],
    ] as const) {
      await expect(pipe({ steps: [{ type: 'mask', fields: [field] }] }, schema, [])).rejects.toThrow(message);
    }
  });
});
