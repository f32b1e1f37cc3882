import { Op, type Row, UNCHANGED } from '../../../lib/core/batch';
import { Fault } from '../../../lib/core/fault';
import type { LookupRequest, PipelineServices, Place } from '../../../lib/core/pipeline';
import type { TransformationOf } from '../../../lib/core/transformations';
import { plainAddress } from '../../../lib/pipeline/steps/enrichment/ip-address';
import { LeastRecent } from '../../../lib/pipeline/steps/enrichment/least-recent';
import { batchOf, noServices, pipe, pipelineOf, stream } from './pipe';

type Enrichments = TransformationOf<'data_enrichment'>['enrichments'];
const step = (...enrichments: Enrichments): TransformationOf<'data_enrichment'> => ({
  type: 'data_enrichment',
  enrichments,
});

const PLACES: { readonly [address: string]: Place } = {
  '1.2.3.4': { country: 'AU', city: 'Brisbane', latitude: -27.5, asn: 13335 },
  '2001:db8::1': { country: 'DE', country_name: 'Germany' },
};

describe('ip_geolocation', () => {
  const asked: string[] = [];
  const services: PipelineServices = {
    ...noServices,
    places: async () => (address) => {
      asked.push(address);
      return PLACES[address];
    },
  };
  const schema = stream({ id: 'int32', ip_address: 'text' });
  const geo = (field: string, more: object = {}) => ({
    field,
    source: 'ip_geolocation' as const,
    input_field: 'ip_address',
    ...more,
  });
  const rows = (...addresses: (string | null | typeof UNCHANGED)[]) =>
    addresses.map((address, index): Row => [index + 1, address]);

  beforeEach(() => void asked.splice(0));

  it('gives the country of IPv4 and IPv6, asks for addresses in plain form only, and fails no record', async () => {
    const { batch, rejected } = await pipe(
      { steps: [step(geo('country'))], services },
      schema,
      rows('1.2.3.4', '2001:DB8:0::1', '::ffff:1.2.3.4', '9.9.9.9', 'no address', '', null, UNCHANGED, '1.2.3.4'),
    );
    expect(batch.rows.map((row) => row[2])).toEqual(['AU', 'DE', 'AU', null, null, null, null, UNCHANGED, 'AU']);
    expect(rejected).toEqual([]);
    expect(asked).toEqual(['1.2.3.4', '2001:db8::1', '1.2.3.4', '9.9.9.9', '1.2.3.4']);
    expect(batch.schema.columns[2]).toMatchObject({ name: 'country', type: 'text', nullable: true });
  });

  it('gives other parts, by name of the field or as they are asked for', async () => {
    const { batch } = await pipe(
      {
        steps: [step(geo('city'), geo('lat', { attribute: 'latitude' }), geo('asn'), geo('origin'))],
        services,
      },
      schema,
      rows('1.2.3.4', '2001:db8::1'),
    );
    expect(batch.rows.map((row) => row.slice(2))).toEqual([
      ['Brisbane', -27.5, 13335n, 'AU'],
      [null, null, null, 'DE'],
    ]);
    expect(batch.schema.columns.slice(2).map(({ type }) => type)).toEqual(['text', 'float64', 'int64', 'text']);
  });

  it('opens the named database, and lets its fault through', async () => {
    const places = async (database: string | undefined) => {
      throw new Fault('config', 'places_not_readable', `no ${database}`);
    };
    const steps = [step(geo('country', { database: '/x.mmdb' }))];
    await expect(pipelineOf({ steps, services: { ...services, places } })).rejects.toThrow('no /x.mmdb');
  });

  it('refuses a part that the built-in data does not have, keys and what is no text', async () => {
    const builtIn = { ...services, places: async () => Object.assign(() => undefined, { parts: ['country'] }) };
    await expect(pipelineOf({ steps: [step(geo('city'))], services: builtIn })).rejects.toThrow(
      /transformations\[0\]\.enrichments\[0\]\.attribute: the built-in data knows the country only, not the city/,
    );
    const number = { ...geo('country'), input_field: 'id' };
    await expect(pipe({ steps: [step(number)], services }, schema, [])).rejects.toThrow(/"id" holds int32/);
    const key = { ...geo('id'), attribute: 'country' as const };
    await expect(pipe({ steps: [step(key)], services }, schema, [])).rejects.toThrow(/part of the key/);
  });

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    [' 10.0.0.1/24 ', '10.0.0.1'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['1.2.3', undefined],
    ['1.2.3.256', undefined],
    ['01.2.3.4', undefined],
    ['0x7f.0.0.1', undefined],
    ['2130706433', undefined],
    ['1.2.3.4.5', undefined],
    ['1.2.3.4:80', undefined],
    ['12:34', undefined],
    [':'.repeat(5000), undefined],
  ])('takes %s for %s', (text, address) => expect(plainAddress(text)).toBe(address));
});

describe('lookup', () => {
  const requests: LookupRequest[] = [];
  const services: PipelineServices = {
    ...noServices,
    lookup: async (request) => {
      requests.push(request);
      return new Map(request.keys.filter((key) => Number(key) % 2 === 0).map((key) => [key, `value ${key}`]));
    },
  };
  const schema = stream({ id: 'int32', customer: 'int64' });
  const config = {
    field: 'name',
    source: 'lookup' as const,
    input_field: 'customer',
    table: 'shop.customers',
    match: 'id',
    value: 'name',
  };

  beforeEach(() => void requests.splice(0));

  it('asks once a batch for the different keys, and never for what it knows', async () => {
    const pipeline = (await pipelineOf({ steps: [step(config)], services })).bind(schema);
    const batch = batchOf(schema, [
      [1, 2n],
      [2, 3n],
      [3, 2n],
      [4, null],
      [5, UNCHANGED],
    ]);
    const { batch: piped } = await pipeline.run(batch, { load: true });
    expect(piped.rows.map((row) => row[2])).toEqual(['value 2', null, 'value 2', null, UNCHANGED]);
    await pipeline.run(batch, { load: true });
    expect(requests).toEqual([{ table: 'shop.customers', match: 'id', value: 'name', keys: ['2', '3'] }]);
    expect(piped.schema.columns[2]).toMatchObject({ name: 'name', type: 'text', nullable: true });
  });

  it('asks in groups, also for more keys than it remembers, and not for deletions', async () => {
    const rows = Array.from({ length: 12_000 }, (_, index) => [index, BigInt(index)]);
    const ops = rows.map((_, index) => (index === 0 ? Op.Delete : Op.Insert));
    const { batch } = await pipe({ steps: [step(config)], services }, schema, rows, { ops, load: false });
    expect(requests.map(({ keys }) => keys.length)).toEqual([5000, 5000, 1999]);
    expect(batch.rows.filter((row) => row[2] === null)).toHaveLength(6001);
    expect(batch.rows[11_998]?.[2]).toBe('value 11998');
  });

  it('may build on what was found before, in one step and in the next', async () => {
    const next = { ...config, field: 'deeper', input_field: 'twice' };
    const twice = { ...config, field: 'twice', table: 'shop.pairs' };
    const both: PipelineServices = {
      ...services,
      lookup: async ({ table, keys }) =>
        new Map(keys.map((key) => [key, table === 'shop.pairs' ? '4' : `value ${key}`])),
    };
    for (const steps of [[step(twice, next)], [step(twice), step(next)]]) {
      const { batch } = await pipe({ steps, services: both }, schema, [[1, 2n]]);
      expect(batch.rows[0]?.slice(2)).toEqual(['4', 'value 4']);
    }
  });

  it('keeps batches that are under way at the same time apart', async () => {
    const pipeline = (await pipelineOf({ steps: [step(config)], services })).bind(schema);
    const batches = [2n, 4n, 6n].map((key) => pipeline.run(batchOf(schema, [[1, key]]), { load: true }));
    const rows = (await Promise.all(batches)).map(({ batch }) => batch.rows[0]?.[2]);
    expect(rows).toEqual(['value 2', 'value 4', 'value 6']);
  });

  it('lets faults of the destination through, and refuses bytes', async () => {
    const broken = { ...services, lookup: () => Promise.reject(new Fault('config', 'lookup_table_not_found', 'none')) };
    await expect(pipe({ steps: [step(config)], services: broken }, schema, [[1, 1n]])).rejects.toThrow('none');
    const bytes = stream({ id: 'int32', customer: 'bytes' });
    await expect(pipe({ steps: [step(config)], services }, bytes, [])).rejects.toThrow(/holds bytes/);
  });

  it('forgets what was not asked for the longest', () => {
    const map = new LeastRecent<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  });
});
