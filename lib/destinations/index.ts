import type { ConfigSpec } from '../core/config';
import { nearest } from '../core/config';
import type { Host } from '../core/connector';
import type { Destination, DestinationContext, DestinationDefinition } from '../core/destination';
import { type Classify, Fault, guarded } from '../core/fault';
import type { SearchReader } from '../core/search';

/** What everybody else sees of a destination: configuration is parsed, errors are faults. */
export interface DestinationType {
  readonly type: string;
  readonly title: string;
  readonly config: Pick<ConfigSpec<unknown>, 'keys' | 'fields' | 'jsonSchema'>;
  /** Validates without opening. @throws Fault `config`/`invalid_config` */
  validate(config: unknown): void;
  /** @throws Fault */
  open(config: unknown, context: DestinationContext, host: Host): Promise<Destination>;
  /** Opens the search over all integrations. @throws Fault */
  openSearch(config: unknown, host: Host): Promise<SearchReader>;
}

/** Every type of destination: one lazy line each. */
export const destinations = {
  postgresql: () => import('./postgresql').then((module) => destination(module.postgresql)),
} satisfies { readonly [type: string]: () => Promise<DestinationType> };

/** The names of all types. */
export const destinationTypes: readonly string[] = Object.keys(destinations);

/** Loads the destination of a type. @throws Fault `config`/`unknown_destination` */
export async function loadDestination(type: string): Promise<DestinationType> {
  if (Object.hasOwn(destinations, type)) return destinations[type as keyof typeof destinations]();
  const near = nearest(type, destinationTypes);
  throw new Fault('config', 'unknown_destination', `opening the destination: there is no type "${type}"`, {
    hint: near === undefined ? `Known types: ${destinationTypes.join(', ')}.` : `Did you mean "${near}"?`,
  });
}

/** Opens one integration's place in a destination. @throws Fault */
export async function openDestination(
  type: string,
  config: unknown,
  context: DestinationContext,
  host: Host,
): Promise<Destination> {
  return (await loadDestination(type)).open(config, context, host);
}

/** Opens the search over all integrations in a destination. @throws Fault */
export async function openSearch(type: string, config: unknown, host: Host): Promise<SearchReader> {
  return (await loadDestination(type)).openSearch(config, host);
}

/** Makes a {@link DestinationType} of a definition: parses the configuration and classifies every error that leaves it. */
export function destination<C>(definition: DestinationDefinition<C>): DestinationType {
  const { type, title, config, classify } = definition;
  return {
    type,
    title,
    config,
    validate: (input) => void config.parse(input),
    async open(input, context, host) {
      const parsed = config.parse(input);
      const opened = await guarded(`opening ${type}`, classify, () => definition.open(parsed, context, host));
      return guardDestination(opened, classify);
    },
    async openSearch(input, host) {
      const { openSearch: open } = definition;
      if (open === undefined) throw new Fault('config', 'no_search', `searching: ${type} cannot be searched`);
      const parsed = config.parse(input);
      const opened = await guarded('opening the search', classify, () => open(parsed, host));
      return {
        search: (request, places, signal) =>
          guarded('searching', classify, () => opened.search(request, places, signal)),
        close: () => guarded('closing the search', classify, () => opened.close()),
      };
    },
  };
}

function guardDestination(inner: Destination, classify: Classify): Destination {
  const guard = <T>(doing: string, work: () => Promise<T>) => guarded(doing, classify, work);
  const { append, lookup, quarantine } = inner;
  return {
    accepts: inner.accepts,
    check: (signal) => guard('checking the destination', () => inner.check(signal)),
    prepare: (slice, next) => guard(`preparing ${next.stream}`, () => inner.prepare(slice, next)),
    claim: (slice, fence) => guard(`claiming ${slice.stream}`, () => inner.claim(slice, fence)),
    write: (batch, slice, options) => guard(`writing ${slice.stream}`, () => inner.write(batch, slice, options)),
    ...(append && {
      append: (additions, slice, options) =>
        guard(`writing ${slice.stream}`, () => append.call(inner, additions, slice, options)),
    }),
    publish: (stream, load, options) =>
      guard(`publishing ${stream.stream}`, () => inner.publish(stream, load, options)),
    discard: (stream, load) => guard(`discarding a load of ${stream}`, () => inner.discard(stream, load)),
    seed: (slice, ...given) => guard(`seeding ${slice.stream}`, () => inner.seed(slice, ...given)),
    quarantined: (query) => guard('listing quarantined records', () => inner.quarantined(query)),
    ...(quarantine && {
      quarantine: {
        entries: (filter, page) => guard('reading quarantined records', () => quarantine.entries(filter, page)),
        remove: (filter) => guard('dropping quarantined records', () => quarantine.remove(filter)),
        edit: (id, fields) => guard('editing a quarantined record', () => quarantine.edit(id, fields)),
        prune: (bounds, signal) =>
          guard('keeping the quarantine within its bounds', () => quarantine.prune(bounds, signal)),
        replay: (request) => guard(`replaying ${request.schema.stream}`, () => quarantine.replay(request)),
      },
    }),
    ...(lookup && {
      lookup: (request) => guard(`looking into ${request.table}`, () => lookup.call(inner, request)),
    }),
    drop: () => guard('removing what was stored', () => inner.drop()),
    close: () => guard('closing the destination', () => inner.close()),
  };
}
