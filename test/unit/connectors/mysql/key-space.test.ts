import { BYTES, type KeySpace, textKeys, UUIDS } from '../../../../lib/connectors/mysql/key-space';

const anyCase = textKeys({ characterSet: 'utf8mb4', collation: 'utf8mb4_general_ci' });
const byCode = textKeys({ characterSet: 'utf8mb4', collation: 'utf8mb4_bin' });
const guessed = (space: KeySpace, first: string, last: string, count = 64) => [...space.guesses(first, last, count)];

describe('keys guessed between two', () => {
  it('begin with what both begin with', () => {
    expect(guessed(byCode, 'order-1', 'order-4x')).toEqual(['order-1', 'order-2', 'order-3', 'order-4']);
    expect(guessed(byCode, 'a', 'abd')).toContain('ab');
  });

  it('are in the order of letters, whatever their case and accents', () => {
    expect(guessed(anyCase, 'ORDER-A', 'order-d')).toEqual(expect.arrayContaining(['ORDER-b', 'ORDER-c', 'ORDER-d']));
    expect(guessed(anyCase, 'éa', 'Z')).toEqual(expect.arrayContaining(['f', 'm', 'z']));
    expect(guessed(byCode, 'Ba', 'ba')).toEqual(expect.arrayContaining(['C', 'Z', 'a', 'b']));
    expect(guessed(anyCase, 'Ä', 'a')).toEqual([]);
  });

  it('are characters, and no more of them than are asked for twice', () => {
    const keys = guessed(byCode, '!', '🙂');
    expect(keys.length).toBeLessThan(130);
    expect(keys).toContain('🙂');
    for (const key of keys) expect([...Buffer.from(key).toString()]).toEqual([key]);
  });

  it('are bytes where bytes are compared', () => {
    expect(guessed(BYTES, '00ff01', '00ff0402')).toEqual(['00ff01', '00ff02', '00ff03', '00ff04']);
    expect(guessed(BYTES, '', 'ff', 4)).toEqual(['00', '40', '80', 'c0', 'ff']);
  });

  it('are UUIDs in the order of the server: by the last group, or as written where they are of version 6 or later', () => {
    expect(guessed(UUIDS, '6ccd780c-baba-1026-9564-010000000000', '00000000-baba-1026-9564-030000000000')).toEqual([
      '00000000-0000-1000-8000-010000000000',
      '00000000-0000-1000-8000-020000000000',
      '00000000-0000-1000-8000-030000000000',
    ]);
    expect(guessed(UUIDS, '01000000-0000-7000-8000-ffffffffffff', '03000000-0000-7000-9000-000000000000')).toEqual([
      '01000000-0000-7000-8000-000000000000',
      '02000000-0000-7000-8000-000000000000',
      '03000000-0000-7000-8000-000000000000',
    ]);
  });
});
