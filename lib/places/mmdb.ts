import { readFile, stat } from 'node:fs/promises';
import { Reader, type Response } from 'mmdb-lib';
import { Fault } from '../core/fault';
import type { Place, Places } from '../core/pipeline';
import { placeOf } from './record';

interface Opened {
  readonly version: string;
  readonly places: Promise<Places>;
}

const opened = new Map<string, Opened>();

/** The places of an .mmdb file, which is read once and anew when it was replaced. @throws Fault `config` */
export async function mmdbPlaces(path: string): Promise<Places> {
  const version = await versionOf(path);
  const known = opened.get(path);
  if (known?.version === version) return known.places;
  const places = read(path);
  opened.set(path, { version, places });
  places.catch(() => opened.delete(path));
  return places;
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size } = await stat(path);
    return `${mtimeMs}/${size}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function read(path: string): Promise<Places> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return placesIn(new Reader<Response>(content), path);
  } catch (error) {
    throw noDatabase(path, error);
  }
}

function placesIn(reader: Reader<Response>, path: string): Places {
  const hasIpv6 = reader.metadata.ipVersion === 6;
  const find = (address: string): Place | undefined => {
    if (!hasIpv6 && address.includes(':')) return undefined;
    try {
      const record = reader.get(address);
      return record === null ? undefined : placeOf(record);
    } catch (error) {
      throw noDatabase(path, error);
    }
  };
  // What is damaged shows here and not in the middle of a run.
  find('192.0.2.1');
  return remembering(find);
}

const REMEMBERED = 10_000;

/** The same addresses come again and again, and decoding a record takes long. */
function remembering(find: Places): Places {
  const known = new Map<string, Place | undefined>();
  return (address) => {
    const place = known.get(address);
    if (place !== undefined || known.has(address)) return place;
    if (known.size >= REMEMBERED) known.clear();
    const found = find(address);
    known.set(address, found);
    return found;
  };
}

function unreadable(path: string, cause: unknown): Fault {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return new Fault('config', 'places_not_readable', `opening the database of places ${path}: ${String(code)}`, {
    cause,
    hint: 'Give the path of an .mmdb file (GeoLite2, DB-IP, ...) that this process may read, in "database" or in EXPLORERIO_GEOIP_DATABASE.',
  });
}

function noDatabase(path: string, cause: unknown): Fault {
  return new Fault(
    'config',
    'places_no_database',
    `opening the database of places ${path}: it is no intact .mmdb file`,
    {
      cause,
      hint: 'Download the file again; unpack it if it ends in .gz or .tar.gz.',
    },
  );
}
