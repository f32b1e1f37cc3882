import { postgresql } from '../../lib/connectors/postgresql';
import type { Batch, Row } from '../../lib/core/batch';
import { Op, UNCHANGED } from '../../lib/core/batch';
import type { Source, StreamInfo } from '../../lib/core/connector';
import type { Position } from '../../lib/core/position';
import { recordingLogger } from '../contracts/recording-logger';
import { type Config, signal } from '../contracts/source-reading';

/** A source whose changes are followed, for tests of PostgreSQL's own ways. */
export class Follower implements AsyncDisposable {
  readonly source: Source;
  #infos: readonly StreamInfo[] = [];
  #position: Position | undefined;

  private constructor(source: Source) {
    this.source = source;
  }

  static async open(config: Config, name = 'tests'): Promise<Follower> {
    return new Follower(await postgresql.open(config, { log: recordingLogger().log, follower: name }));
  }

  get infos(): readonly StreamInfo[] {
    return this.#infos;
  }

  get position(): Position | undefined {
    return this.#position;
  }

  get feed() {
    if (this.source.feed === undefined) throw new Error('it has no feed');
    return this.source.feed;
  }

  get streams() {
    return this.#infos.filter(({ modes }) => modes.includes('changes')).map(({ schema }) => schema);
  }

  /** From now on, unless there is a position already. */
  async begin(from = this.#position) {
    this.#infos = await this.source.discover(signal());
    const head = await this.feed.head({ streams: this.streams, signal: signal(), ...(from && { from }) });
    this.#position = from ?? head.position;
    return head;
  }

  /** The changes up to now. */
  async batches(rows = 1000): Promise<Batch[]> {
    const found: Batch[] = [];
    const size = { rows, bytes: 1 << 20 };
    const from = this.#position as Position;
    const request = { streams: this.streams, from, follow: false, size, accept: [], signal: signal() };
    for await (const batch of this.feed.read(request)) {
      found.push(batch);
      this.#position = batch.after;
    }
    return found;
  }

  /** The changes up to now, as texts such as `update a {"id":1}`. */
  async changes(): Promise<string[]> {
    return (await this.batches()).flatMap(written);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.close();
  }
}

/** The changes of a batch as texts. */
export function written(batch: Batch): string[] {
  const { stream, columns, key } = batch.schema;
  if (batch.kind !== 'rows') return [`${batch.kind} ${stream}`];
  const named = (row: Row, isDelete: boolean) =>
    Object.fromEntries(
      columns
        .map(({ name }, place) => [name, row[place]] as const)
        .filter(([name]) => !isDelete || key.includes(name))
        .map(([name, value]) => [name, value === UNCHANGED ? '(unchanged)' : value]),
    );
  return batch.rows.map((row, index) => {
    const op = batch.ops?.[index] ?? Op.Insert;
    return `${['insert', 'update', 'delete'][op]} ${stream} ${JSON.stringify(named(row, op === Op.Delete))}`;
  });
}
