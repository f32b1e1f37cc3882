import type { Place } from '../core/pipeline';

type Part = string | number | undefined;

/** The place in a record of an .mmdb file: in the form of GeoLite2 and DB-IP, or the flat one of IPinfo. */
export function placeOf(record: object): Place {
  return {
    country: at(record, 'country', 'iso_code') ?? text(record, 'country_code') ?? text(record, 'country'),
    country_name: at(record, 'country', 'names', 'en') ?? text(record, 'country_name'),
    city: at(record, 'city', 'names', 'en') ?? text(record, 'city'),
    region: at(record, 'subdivisions', '0', 'names', 'en') ?? text(record, 'region'),
    postal_code: at(record, 'postal', 'code') ?? text(record, 'postal_code'),
    latitude: number(at(record, 'location', 'latitude') ?? text(record, 'latitude') ?? text(record, 'lat')),
    longitude: number(at(record, 'location', 'longitude') ?? text(record, 'longitude') ?? text(record, 'lng')),
    time_zone: at(record, 'location', 'time_zone') ?? text(record, 'timezone'),
    asn: asn(at(record, 'autonomous_system_number') ?? text(record, 'asn')),
    as_organization: text(record, 'autonomous_system_organization') ?? text(record, 'as_name'),
  };
}

function at(record: object, ...path: readonly string[]): Part {
  let value: unknown = record;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as { readonly [name: string]: unknown })[name];
  }
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

function text(record: object, name: string): Part {
  return at(record, name);
}

function number(value: Part): number | undefined {
  const parsed = value === undefined || value === '' ? Number.NaN : Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

function asn(value: Part): number | undefined {
  const digits = /^(?:AS)?(\d{1,10})$/.exec(String(value))?.[1];
  return digits === undefined ? undefined : Number(digits);
}
