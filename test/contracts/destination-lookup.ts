import { type Harness, options, rowBatch } from './destination-harness';

/** Registers the tests of `Destination.lookup`, of a destination that has it. */
export function lookupContract({ startWriting }: Harness): void {
  describe('lookup', () => {
    const request = { table: 'orders', match: 'id', value: 'name' };

    it('gives the values that are there as text, by the keys as they were asked for', async () => {
      const { destination, context, schema, write } = await startWriting();
      await write(
        rowBatch(schema, [
          [1n, 'one'],
          [2n, 'two'],
          [3n, null],
          [9007199254740993n, 'large'],
        ]),
      );
      const keys = ['1', '3', '4', '9007199254740993'];
      for (const table of ['orders', `${context.namespace}.orders`]) {
        const found = await destination.lookup?.({ ...request, table, keys });
        expect([...(found ?? [])].sort()).toEqual([
          ['1', 'one'],
          ['3', null],
          ['9007199254740993', 'large'],
        ]);
      }
      expect(await destination.lookup?.({ ...request, match: 'name', value: 'id', keys: ['two', "'; --"] })).toEqual(
        new Map([['two', '2']]),
      );
    });

    it('knows nothing of no keys and of keys that cannot be', async () => {
      const { destination, schema, write } = await startWriting();
      await write(rowBatch(schema, [[1n, 'one']]));
      expect(await destination.lookup?.({ ...request, keys: [] })).toEqual(new Map());
      const odd = ['x', '', '1e400', '\0', '{"a"}', '1'];
      expect(await destination.lookup?.({ ...request, keys: odd })).toEqual(new Map([['1', 'one']]));
    });

    it('leaves out what was deleted', async () => {
      const { destination, schema, write } = await startWriting({ deletes: 'soft' });
      await write(
        rowBatch(schema, [
          [1n, 'one'],
          [2n, 'two'],
        ]),
      );
      await write(rowBatch(schema, [[1n, null]], 2, [2]));
      expect(await destination.lookup?.({ ...request, keys: ['1', '2'] })).toEqual(new Map([['2', 'two']]));
    });

    it('answers while writers hold their connections', async () => {
      const { destination, slice, schema, write } = await startWriting();
      await write(rowBatch(schema, [[1n, 'one']]));
      const load = async (index: number) => {
        const part = { ...slice, load: `load-${index}`, partition: 'all' };
        await destination.prepare(part, schema);
        await destination.claim(part, 1);
        async function* additions() {
          await destination.lookup?.({ ...request, keys: ['1'] });
          yield { batch: rowBatch(schema, [[BigInt(index), 'x']]), rejected: [] };
          const found = await destination.lookup?.({ ...request, keys: ['1'] });
          yield { batch: rowBatch(schema, [[BigInt(index + 100), found?.get('1') ?? null]], 2), rejected: [] };
        }
        return destination.append?.(additions(), part, options());
      };
      const written = await Promise.all(Array.from({ length: 10 }, (_, index) => load(index)));
      expect(written.map((result) => result?.rows ?? 2)).toEqual(new Array(10).fill(2));
    });

    it('says that a table or column is not there', async () => {
      const { destination } = await startWriting();
      const ask = (wrong: object) => destination.lookup?.({ ...request, keys: ['1'], ...wrong });
      const kind = 'config';
      await expect(ask({ table: 'shop.none' })).rejects.toMatchObject({ kind, code: 'lookup_table_not_found' });
      await expect(ask({ table: 'or"ders' })).rejects.toMatchObject({ kind, code: 'lookup_table_not_found' });
      await expect(ask({ match: 'nope' })).rejects.toMatchObject({ kind, code: 'lookup_column_not_found' });
      await expect(ask({ value: 'nope"' })).rejects.toMatchObject({
        kind,
        code: 'lookup_column_not_found',
        hint: expect.stringContaining('id, name'),
      });
    });
  });
}
