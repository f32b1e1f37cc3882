/** The checks of `source-trouble.ts` by what they are about, so that a fixture can waive them. */
export const TROUBLE = {
  noDatabase: 'a database that is not there is a fault of the configuration, with a hint',
  empty: 'an empty stream has no rows, until there are some',
  names: 'names may have quotes, blanks, brackets and any script',
  nulls: 'a key with nulls is no key, and costs no row',
  value: 'a large value is whole',
  late: 'a row that is committed late is read, though newer ones were read before',
  clock: 'a clock of ours that is a day off loses nothing, and reads nothing twice',
  lost: 'a connection that is lost behind any batch loses nothing',
  silent: 'a server that stops answering is given up, and may be tried again',
  many: '10,000 streams are found',
} as const;

/** Waivers for all of them: for a fixture whose connector and server another one has as well. */
export function troubleShownBy(other: string): { readonly [title: string]: string } {
  return Object.fromEntries(Object.values(TROUBLE).map((title) => [title, `shown by ${other}: it is the same there`]));
}
