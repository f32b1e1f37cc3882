import type { Connector, Source } from '../../lib/core/connector';
import type { Destination, DestinationContext } from '../../lib/core/destination';
import type { Json } from '../../lib/core/json';
import { MemoryStore, memoryDestination } from '../memory/destination';
import { MemoryDatabase, memoryConnector } from '../memory/source';

/** Tables of `id`, `text` and `changed`, a number that grows with every write, behind any connector. */
export interface SourcePart {
  /** The integration document without its name and strategy. */
  readonly document: { readonly [key: string]: Json };
  /** The connector; every source it opens passes through `onOpen`. */
  connector(onOpen: (source: Source) => Source): Connector;
  put(stream: string, id: number, text: string): Promise<void>;
  remove(stream: string, id: number): Promise<void>;
  /** All rows of a table as `id|text|changed`, sorted. */
  rows(stream: string): Promise<string[]>;
}

/** A place for the rows, behind any destination. */
export interface StorePart {
  open(context: DestinationContext): Promise<Destination>;
  /** All visible rows of a stream as `id|text|changed`, sorted. */
  rows(stream: string): Promise<string[]>;
  /** Names of loads that were begun, and neither published nor discarded. */
  leftovers(): Promise<string[]>;
}

/** A source and a store. To sweep your own connector or destination, give it here and keep the other in memory. */
export interface Parts {
  readonly source: SourcePart;
  readonly store: StorePart;
}

/** The name of the simulated integration. */
export const INTEGRATION = 'simulated';

/** A source in memory. */
export function memorySource(): SourcePart {
  const database = new MemoryDatabase();
  return {
    document: { type: 'memory', connection: {} },
    connector: (onOpen) => memoryConnector(database, onOpen),
    put: async (stream, id, text) => database.put(stream, id, text),
    remove: async (stream, id) => database.remove(stream, id),
    rows: async (stream) =>
      database
        .snapshot(stream)
        .map(({ id, text, changed }) => `${id}|${text}|${changed}`)
        .sort(),
  };
}

/** A store in memory; `bytes`: it takes undecoded rows; `groups`: many batches in one transaction. */
export function memoryStore(bytes: boolean, groups: boolean): StorePart {
  const store = new MemoryStore();
  return {
    open: async (context) => memoryDestination(store, context, bytes, groups),
    rows: async (stream) => store.visible(INTEGRATION, stream),
    leftovers: async () => store.shadows(),
  };
}
