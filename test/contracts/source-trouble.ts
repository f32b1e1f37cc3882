import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../lib/core/batch';
import type { Connector, Source } from '../../lib/core/connector';
import type { Fault } from '../../lib/core/fault';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy';
import {
  able,
  type Check,
  cursorOf,
  discoverFault,
  faultOf,
  fullRead,
  increment,
  type Line,
  memory,
  partitions,
  partsOf,
  type Running,
  type RunningSource,
  rowsOf,
  scan,
  schemaOf,
  signal,
  sorted,
  withSource,
} from './source-reading';
import { TROUBLE } from './trouble-titles';

const DAY_MS = 86_400_000;
const PIECE = 1 << 20;
const LARGE = 12 * PIECE;
const MANY = 10_000;
// As the engine does, which waits longer each time.
const TRIES = 8;
const SHORTEST_PAUSE_MS = 10;
const ODD_STREAM = `it's a "stream", Straße; \`日本\``;
const ODD_COLUMN = `a "column" ]; it's [\`ß\`] ☃`;

/** Checks of what goes wrong out there. Each asks the fixture for what it needs; one that cannot give it says why. */
export function troubleContract(connector: Connector, running: Running, check: Check): void {
  oddDataContract(connector, running, check);
  lateContract(connector, running, check);
  lineContract(connector, running, check);
  check(TROUBLE.many, async () => {
    await able(running(), 'seedMany')(MANY);
    await withSource(connector, running().config, async (source) => {
      const before = memory();
      const infos = await source.discover(signal());
      expect(memory() - before).toBeLessThan(100 * PIECE);
      expect(infos.length).toBeGreaterThanOrEqual(MANY);
    });
  });
}

function oddDataContract(connector: Connector, running: Running, check: Check): void {
  check(TROUBLE.noDatabase, async () => {
    const fault = await discoverFault(connector, able(running(), 'noDatabase')());
    expect(fault).toMatchObject({ kind: 'config', hint: expect.any(String) });
  });

  check(TROUBLE.empty, async () => {
    await running().seed(1);
    await running().remove([1]);
    await withSource(connector, running().config, async (source) => {
      expect((await fullRead(source, running(), {})).flatMap((batch) => batch.rows)).toEqual([]);
    });
    const rows = await running().insert([2, 3]);
    await withSource(connector, running().config, async (source) => {
      expect(sorted((await fullRead(source, running(), {})).flatMap((batch) => batch.rows))).toEqual(sorted(rows));
    });
  });

  check(TROUBLE.names, async () => {
    const { stream, rows } = await able(running(), 'seedNamed')(ODD_STREAM, ODD_COLUMN);
    await withSource(connector, running().config, async (source) => {
      const schema = await schemaOf(source, stream);
      expect(schema.columns.map((column) => column.name)).toContain(ODD_COLUMN);
      expect(await rowsOf(source, running(), schema)).toEqual(rows);
    });
  });

  check(TROUBLE.nulls, async () => {
    const { stream, rows } = await able(running(), 'seedNulls')();
    await withSource(connector, running().config, async (source) => {
      const schema = await schemaOf(source, stream);
      const ofKey = schema.columns.filter((column) => schema.key.includes(column.name));
      expect(ofKey.filter((column) => column.nullable)).toEqual([]);
      expect(sorted(await rowsOf(source, running(), schema))).toEqual(sorted(rows));
    });
  });

  check(
    TROUBLE.value,
    async () => {
      const { stream, bytes } = await able(running(), 'seedText')();
      await withSource(connector, running().config, async (source) => {
        const schema = await schemaOf(source, stream);
        const before = memory();
        const [row, ...others] = await rowsOf(source, running(), schema);
        expect(others).toEqual([]);
        const value = row?.find((cell) => typeof cell === 'string' && cell.length > 1000) as string;
        expect(value.length).toBe(bytes);
        expect(/^x+$/.test(value)).toBe(true);
        // A driver has it in packets, as a whole and as text, and frees what it does not need any more when it likes.
        expect(memory() - before).toBeLessThan(MOST_COPIES * bytes);
      });
    },
    60_000,
  );
}

const MOST_COPIES = 8;

function lateContract(connector: Connector, running: Running, check: Check): void {
  if (!connector.modes.includes('incremental')) return;
  check(TROUBLE.late, async () => {
    await running().seed(10);
    await withSource(connector, running().config, async (source) => {
      const commit = await able(running(), 'insertLate')([21, 22]);
      const [newer] = await running().insert([31]);
      const first = await increment(source, running(), undefined);
      const rows = await commit();
      const second = await increment(source, running(), first.at(-1)?.after);
      const read = [...first, ...second].flatMap((batch) => batch.rows);
      expect(sorted(read)).toEqual(expect.arrayContaining(sorted([...rows, ...(newer ? [newer] : [])])));
    });
  });

  check(TROUBLE.clock, async () => {
    for (const shift of [-DAY_MS, DAY_MS]) {
      const rows = await running().seed(50);
      await withSource(connector, running().config, async (source) => {
        await withClock(shift, async () => {
          const { after } = await partitions(source, running(), 1, cursorOf(running()));
          expect(sorted((await fullRead(source, running(), {})).flatMap((batch) => batch.rows))).toEqual(sorted(rows));
          const first = await increment(source, running(), after);
          const written = [
            ...(await actual(() => running().update([7]))),
            ...(await actual(() => running().insert([51]))),
          ];
          const second = await increment(source, running(), first.at(-1)?.after ?? after);
          expect(sorted(second.flatMap((batch) => batch.rows))).toEqual(sorted(written));
        });
      });
    }
  });
}

function lineContract(connector: Connector, running: Running, check: Check): void {
  check(TROUBLE.lost, async () => {
    const stream = await running().seedLarge(LARGE);
    await withProxy(running, async (proxy, line) => {
      await withSource(connector, line.through(proxy.port), async (source) => {
        const schema = await schemaOf(source, stream);
        const expected = await rowsOf(source, running(), schema);
        const [partition = null] = await partsOf(source, running(), 1, schema);
        const { rows, faults } = await readThroughCuts(source, running(), { schema, partition, cut: proxy.cut });
        expect(keysOf(rows)).toEqual(keysOf(expected));
        expect(faults.map(({ kind }) => kind)).toEqual(faults.map(() => 'transient'));
      });
    });
  });

  check(TROUBLE.silent, async () => {
    const stream = await running().seedLarge(LARGE);
    await withProxy(running, async (proxy, line) => {
      await withSource(connector, line.through(proxy.port), async (source) => {
        const schema = await schemaOf(source, stream);
        const [partition = null] = await partsOf(source, running(), 1, schema);
        const size = { rows: 100_000, bytes: PIECE };
        const fault = await faultOf(async () => {
          for await (const batch of scan(source, running(), { partition, size, repairable: true }, schema)) {
            if (batch) proxy.silence();
          }
        });
        expect(fault).toMatchObject({ kind: 'transient', hint: expect.any(String) });
        expect(fault.code).not.toBe('aborted');
      });
      expect(await discoverFault(connector, line.through(proxy.port))).toMatchObject({ kind: 'transient' });
    });
  });
}

async function withProxy(running: Running, body: (proxy: TcpProxy, line: Line) => Promise<void>): Promise<void> {
  const line = able(running(), 'line');
  const proxy = await startTcpProxy(line.host, line.port);
  try {
    await body(proxy, line);
  } finally {
    await proxy.close();
  }
}

interface CutRead {
  readonly schema: StreamSchema;
  readonly partition: Json;
  cut(): void;
}

/** Breaks all connections behind each batch; where that is noticed, reads on from the position of the last. */
async function readThroughCuts(source: Source, running: RunningSource, { schema, partition, cut }: CutRead) {
  const size = { rows: 100_000, bytes: PIECE };
  const rows: Row[] = [];
  const faults: Fault[] = [];
  let from: Position | undefined;
  for (let inVain = 0; inVain < TRIES; inVain++) {
    await sleep(inVain === 0 ? 0 : SHORTEST_PAUSE_MS << inVain);
    try {
      const request = { partition, size, repairable: true, ...(from && { from }) };
      for await (const batch of scan(source, running, request, schema)) {
        if (batch.kind === 'rows') rows.push(...batch.rows);
        from = JSON.parse(JSON.stringify(batch.after)) as Position;
        inVain = 0;
        cut();
      }
      return { rows, faults };
    } catch (error) {
      faults.push(error as Fault);
    }
  }
  throw faults.at(-1) ?? new Error('it never ends');
}

function keysOf(rows: readonly Row[]): string[] {
  return rows.map(([key]) => String(key)).sort();
}

const { Date: ActualDate } = globalThis;

/** Shifts what this process takes for the time of day while `work` runs. */
async function withClock(shiftMs: number, work: () => Promise<void>): Promise<void> {
  globalThis.Date = new Proxy(ActualDate, {
    construct: (target, args) =>
      args.length === 0 ? new target(target.now() + shiftMs) : Reflect.construct(target, args),
    get: (target, name, receiver) =>
      name === 'now' ? () => target.now() + shiftMs : Reflect.get(target, name, receiver),
  });
  try {
    await work();
  } finally {
    globalThis.Date = ActualDate;
  }
}

/** What the fixture does is done by the clock of the server. */
async function actual<T>(work: () => Promise<T>): Promise<T> {
  const shifted = globalThis.Date;
  globalThis.Date = ActualDate;
  try {
    return await work();
  } finally {
    globalThis.Date = shifted;
  }
}
