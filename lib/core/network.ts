/** One address of a name; `family` is 4 or 6. */
export interface FoundAddress {
  readonly address: string;
  readonly family: number;
}

/** How a machine reaches an address. */
export interface Route {
  /** Its own address on the way. */
  readonly from: string;
  /** Name of the network interface. */
  readonly by: string;
}

/** What `lookup` of `net.connect` and `http.request` can be. */
export type Lookup = (
  host: string,
  options: { readonly family?: number | 'IPv4' | 'IPv6' | undefined; readonly all?: boolean | undefined },
  done: (error: Error | null, address: string | FoundAddress[], family?: number) => void,
) => void;

/** The rules for the outgoing connections of one integration: `network_security` and what always holds. */
export interface Network {
  /**
   * For `net.connect` and `http.request`: resolves a name and gives only addresses that are allowed, so that what is
   * connected to is what was checked, whatever the name says a moment later.
   */
  readonly lookup: Lookup;
  /**
   * Checks an address that is about to be connected to, or was given in place of a name.
   * @throws Fault `config`/`address_refused`
   */
  check(address: string, host: string): void;
  /** Connections must be encrypted. */
  readonly requireTls: boolean;
  /** Whether the server's certificate must be verified; `undefined`: as the connection itself says. */
  readonly verifyTls: boolean | undefined;
}
