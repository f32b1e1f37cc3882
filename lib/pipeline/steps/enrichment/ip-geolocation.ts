import { UNCHANGED, type Value } from '../../../core/batch';
import { ipv4Number } from '../../../core/ipv4';
import type { Place } from '../../../core/pipeline';
import type { ColumnType } from '../../../core/schema';
import { type EnrichmentOf, PLACE_PARTS, type PlacePart } from '../../../core/transformations';
import { eachRow } from '../../each-row';
import { passedOver } from '../../frame';
import { readField, wrong } from '../../step';
import { type Enrichment, type MakeEnrichment, newField } from './enrichment';
import { plainAddress } from './ip-address';

const TYPES: { readonly [part in PlacePart]?: ColumnType } = {
  latitude: 'float64',
  longitude: 'float64',
  asn: 'int64',
};

/** The place of an IP address, where a database knows it; NULL of what is none. */
export async function ipGeolocation(
  config: EnrichmentOf<'ip_geolocation'>,
  ...[at, path, services]: MakeEnrichment
): Promise<Enrichment> {
  const { field, input_field: input, database } = config;
  const part = config.attribute ?? PLACE_PARTS.find((known) => known === field) ?? 'country';
  const places = await services.places(database);
  if (places.parts && !places.parts.includes(part)) throw wrong(`${path}.attribute`, unknownPart(part, places.parts));
  const type = TYPES[part] ?? 'text';
  const find = (given: string) => {
    const number = places.ofIpv4 && ipv4Number(given);
    if (places.ofIpv4 && number !== undefined) return cellOf(places.ofIpv4(number), part, type);
    const address = plainAddress(given);
    return address === undefined ? null : cellOf(places(address), part, type);
  };
  return (binding) => {
    const from = readField(binding, input, `${at}.input_field`);
    if (from === undefined) return undefined;
    if (from.column.type !== 'text') {
      throw wrong(`${binding.path}.${at}.input_field`, `"${input}" holds ${from.column.type}, and addresses are text`);
    }
    const source = from.index;
    const target = newField(binding, at, field, type);
    const skip = passedOver(target);
    return {
      run(frame) {
        eachRow(frame, skip, (row) => {
          const given = row[source];
          row[target.index] = typeof given === 'string' ? find(given) : given === UNCHANGED ? UNCHANGED : null;
        });
      },
    };
  };
}

function cellOf(place: Place | undefined, part: PlacePart, type: ColumnType): Value {
  const value = place?.[part];
  if (value === undefined) return null;
  if (type === 'int64') return BigInt(value);
  if (type === 'float64') return Number(value);
  return typeof value === 'string' ? value : String(value);
}

function unknownPart(part: PlacePart, parts: readonly string[]): string {
  return `the built-in data knows the ${parts.join(', ')} only, not the ${part}; name an .mmdb file in "database" or in EXPLORERIO_GEOIP_DATABASE`;
}
