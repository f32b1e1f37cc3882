import type { ByteFormat, Row } from '../../lib/core/batch';
import type { Connector, ScanRequest, Source } from '../../lib/core/connector';
import type { Fault } from '../../lib/core/fault';
import type { Json } from '../../lib/core/json';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { recordingLogger } from './recording-logger';
import { feedContract } from './source-feed';
import {
  type Check,
  collect,
  cursorOf,
  discoverFault,
  eventually,
  expectExactResume,
  faultOf,
  fullRead,
  host,
  increment,
  memory,
  partitions,
  partsOf,
  type Running,
  type RunningSource,
  SIZE,
  type SourceFixture,
  scan,
  schemaOf,
  signal,
  sorted,
  without,
  withSource,
} from './source-reading';
import { troubleContract } from './source-trouble';

const ROWS = 500;

/** Runs every check that applies to what the connector has: a feed adds its own. */
export function sourceContract(connector: Connector, fixture: SourceFixture): void {
  const waivers = fixture.waivers ?? {};
  const check = (title: string, body: () => Promise<void>, timeout?: number) => {
    const reason = waivers[title];
    if (reason !== undefined) it.skip(`${title} (waived: ${reason})`, body);
    else it(title, body, timeout);
  };
  configurationContract(connector, check);
  describeWithServer(`${connector.type} on ${fixture.name} (${fixture.kind})`, fixture, (running) => {
    connectionContract(connector, running, check);
    scanContract(connector, running, check);
    incrementContract(connector, running, check);
    bytesContract(connector, running, check);
    resourceContract(connector, running, check);
    if (connector.modes.includes('changes')) feedContract(connector, running, check);
    // The last, as it leaves many streams behind.
    troubleContract(connector, running, check);
  });
}

function configurationContract(connector: Connector, check: Check): void {
  check('every field is documented', async () => {
    expect(connector.fields.length).toBeGreaterThan(0);
    expect(connector.fields.filter((field) => field.doc === '').map((field) => field.path)).toEqual([]);
  });
  check('keys are those of the JSON Schema', async () => {
    const { properties } = connector.jsonSchema() as { properties: object };
    expect([...connector.keys].sort()).toEqual(Object.keys(properties).sort());
  });
}

function connectionContract(connector: Connector, running: Running, check: Check): void {
  check('each required field, left out, is refused by its path', async () => {
    const { config, required } = running();
    for (const path of required) {
      const fault = await faultOf(async () => connector.validate(without(config, path.split('.'))));
      expect(fault).toMatchObject({ kind: 'config', code: 'invalid_config' });
      expect(fault.issues?.map((issue) => issue.path)).toContain(path);
    }
  });

  check('an unknown key is refused with a suggestion', async () => {
    const [known = ''] = connector.keys;
    const typo = `${known}x`;
    const fault = await faultOf(async () => connector.validate({ ...running().config, [typo]: 1 }));
    expect(fault.issues).toEqual([{ path: typo, message: expect.stringContaining(`"${known}"`) }]);
  });

  check('the connection test passes, step by step', async () => {
    await running().seed(1);
    await withSource(connector, running().config, async (source) => {
      const report = await source.check(signal());
      expect(report.steps.filter((step) => step.state === 'failed')).toEqual([]);
      expect(report.passed).toBe(true);
      expect(report.steps.length).toBeGreaterThan(2);
    });
  });

  check('a wrong password is a fault of the configuration, with a hint', async () => {
    const fault = await discoverFault(connector, running().wrongPassword());
    expect(fault).toMatchObject({ kind: 'config', hint: expect.any(String) });
    await withSource(connector, running().wrongPassword(), async (source) => {
      const report = await source.check(signal());
      expect(report.passed).toBe(false);
      const failed = report.steps.findIndex((step) => step.state === 'failed');
      expect(report.steps[failed]).toMatchObject({ hint: expect.any(String) });
      expect(report.steps.slice(failed + 1).map((step) => step.state)).not.toContain('passed');
    });
  });

  check('a closed port is transient, with a hint', async () => {
    const fault = await discoverFault(connector, await running().closedPort());
    expect(fault).toMatchObject({ kind: 'transient', hint: expect.any(String) });
  });

  check('secrets are in no log line, fault, report or JSON', async () => {
    const { secrets, config } = running();
    const { log, lines } = recordingLogger();
    const seen: unknown[] = [lines];
    for (const one of [config, running().wrongPassword(), await running().closedPort()]) {
      const source = await connector.open(one, { log });
      seen.push(source, await source.check(signal()));
      await source.discover(signal()).then(
        (infos) => seen.push(infos),
        (error: Fault) => seen.push(error.record(), error.stack, error.issues),
      );
      await source.close();
    }
    const text = JSON.stringify(seen);
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  });
}

function scanContract(connector: Connector, running: Running, check: Check): void {
  check('discover finds the seeded stream', async () => {
    await running().seed(3);
    await withSource(connector, running().config, async (source) => {
      const infos = await source.discover(signal());
      const names = infos.map((info) => info.schema.stream);
      expect(names).toEqual([...names].sort());
      const { expected, cursor } = running();
      const info = infos.find(({ schema }) => schema.stream === expected.stream);
      expect(info?.schema).toEqual(expected);
      expect(info?.unreadable).toBeUndefined();
      if (connector.modes.includes('incremental')) {
        expect(info?.cursors.map((candidate) => candidate.column)).toContain(cursor);
      }
      for (const { modes } of infos) expect(connector.modes).toEqual(expect.arrayContaining([...modes]));
    });
  });

  check('modes agree with methods', async () => {
    await running().seed(1);
    await withSource(connector, running().config, async (source) => {
      expect(source.scan !== undefined).toBe(connector.modes.includes('full'));
      // A connector of several systems may follow only some of them.
      const infos = await source.discover(signal());
      expect(source.feed !== undefined).toBe(infos.some(({ modes }) => modes.includes('changes')));
    });
  });

  check('a full read gives every row once, as batches within their size', async () => {
    const rows = await running().seed(ROWS);
    for (const size of [SIZE, { rows: 1_000_000, bytes: 4096 }]) {
      await withSource(connector, running().config, async (source) => {
        const batches = await fullRead(source, running(), { size });
        expect(sorted(batches.flatMap((batch) => batch.rows))).toEqual(sorted(rows));
        expect(batches.length).toBeGreaterThan(4);
        expect(Math.max(...batches.map((batch) => batch.rows.length))).toBeLessThanOrEqual(size.rows);
        expect(new Set(batches.map((batch) => batch.schema)).size).toBe(1);
      });
    }
  });

  check('parts cover every row once, however many are wanted, one after the other or all at once', async () => {
    const rows = await running().seed(ROWS);
    for (const want of [1, 3]) {
      await withSource(connector, running().config, async (source) => {
        const parts = await partsOf(source, running(), want);
        const all = await Promise.all(parts.map((partition) => collect(source, running(), { partition })));
        expect(sorted(all.flat().flatMap((batch) => batch.rows))).toEqual(sorted(rows));
      });
    }
    await withSource(connector, running().config, async (source) => {
      expect(sorted((await fullRead(source, running(), {})).flatMap((batch) => batch.rows))).toEqual(sorted(rows));
    });
  });

  check('a full read resumes after every batch exactly', async () => {
    await running().seed(ROWS);
    await withSource(connector, running().config, async (source) => {
      for (const partition of await partsOf(source, running(), 1)) {
        await expectExactResume((from) => collect(source, running(), { partition, ...(from && { from }) }));
      }
    });
  });

  // What is only ever read fully is read again by the next sync.
  if (!connector.modes.includes('incremental')) return;
  check('writes during a full read are not lost', async () => {
    const rows = await running().seed(ROWS);
    await withSource(connector, running().config, async (source) => {
      const { after, parts } = await partitions(source, running(), 2, cursorOf(running()));
      expect(after).toBeDefined();
      const written: Row[] = [];
      const read: Row[] = [];
      for (const partition of parts) {
        for await (const batch of scan(source, running(), { partition, cursor: cursorOf(running()) })) {
          if (batch.kind === 'rows') read.push(...batch.rows);
          if (read.length > ROWS / 2 + written.length) continue;
          written.push(...(await running().insert([ROWS + read.length])), ...(await running().update([1, 250, ROWS])));
        }
      }
      read.push(...(await increment(source, running(), after)).flatMap((batch) => batch.rows));
      expect(written.length).toBeGreaterThan(0);
      expect(sorted(lastByKey(read))).toEqual(sorted(lastByKey([...rows, ...written])));
    });
  });
}

/** What a destination has in the end: the last of the rows with equal first cells. */
function lastByKey(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [String(row[0]), row])).values()];
}

function incrementContract(connector: Connector, running: Running, check: Check): void {
  const incremental = connector.modes.includes('incremental');
  if (!incremental) return;
  check('increments give what changed, once, and nothing when nothing did', async () => {
    const rows = await running().seed(ROWS);
    await withSource(connector, running().config, async (source) => {
      const first = await increment(source, running(), undefined);
      expect(sorted(first.flatMap((batch) => batch.rows))).toEqual(sorted(rows));
      expect(first.length).toBeGreaterThan(4);
      const from = first.at(-1)?.after;
      expect((await increment(source, running(), from)).flatMap((batch) => batch.rows)).toEqual([]);
      const written = [...(await running().update([7, 300])), ...(await running().insert([ROWS + 1, ROWS + 2]))];
      const second = await increment(source, running(), from);
      expect(sorted(second.flatMap((batch) => batch.rows))).toEqual(sorted(written));
      const third = await increment(source, running(), second.at(-1)?.after);
      expect(third.flatMap((batch) => batch.rows)).toEqual([]);
    });
  });

  check('an increment resumes after every batch exactly', async () => {
    await running().seed(ROWS);
    await withSource(connector, running().config, async (source) => {
      await expectExactResume((from) => increment(source, running(), from));
    });
  });

  check('an added column shows as another schema', async () => {
    await running().seed(10);
    await withSource(connector, running().config, async (source) => {
      const [before] = await increment(source, running(), undefined);
      await running().addColumn('added_later');
      await running().update([3]);
      const [after] = await increment(source, running(), before?.after);
      expect(after?.schema).not.toBe(before?.schema);
      expect(after?.schema.columns.map((column) => column.name)).toContain('added_later');
    });
  });
}

function bytesContract(connector: Connector, running: Running, check: Check): void {
  for (const format of ['pgcopy-binary', 'pgcopy-text', 'csv', 'ndjson'] satisfies ByteFormat[]) {
    check(`${format}, where it is given, decodes to the rows of the scan`, async () => {
      const rows = await running().seed(ROWS);
      await withSource(connector, running().config, async (source) => {
        const full: Row[] = [];
        for (const partition of await partsOf(source, running(), 2)) {
          full.push(...(await decoded(source, running(), { partition, accept: [format] })));
        }
        expect(sorted(full)).toEqual(sorted(rows));
        if (!connector.modes.includes('incremental')) return;
        const increment = { cursor: cursorOf(running()), accept: [format] };
        expect(sorted(await decoded(source, running(), increment))).toEqual(sorted(rows));
      });
    });
  }
}

async function decoded(source: Source, running: RunningSource, request: Partial<ScanRequest>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of scan(source, running, request)) {
    if (batch.kind === 'rows') rows.push(...batch.rows);
    if (batch.kind !== 'bytes') continue;
    expect(request.accept).toContain(batch.format);
    rows.push(...((await running.decode?.(batch)) ?? []));
  }
  return rows;
}

function resourceContract(connector: Connector, running: Running, check: Check): void {
  check('leaving early, and closing, leave no connection behind', async () => {
    await running().seed(ROWS);
    const before = await running().openConnections();
    const source = await connector.open(running().config, host());
    for (let round = 0; round < 12; round++) {
      const [partition] = await partsOf(source, running(), 1);
      for await (const batch of scan(source, running(), partition === undefined ? {} : { partition })) {
        if (batch) break;
      }
    }
    expect((await running().openConnections()) - before).toBeLessThanOrEqual(8);
    await source.close();
    await eventually(async () => expect(await running().openConnections()).toBe(before));
  });

  check('an abort ends a scan within five seconds', async () => {
    const stream = await running().seedLarge(20 << 20);
    await withSource(connector, running().config, async (source) => {
      const schema = await schemaOf(source, stream);
      const controller = new AbortController();
      const [partition] = await partsOf(source, running(), 1, schema);
      const before = await running().openConnections();
      let began = 0;
      const fault = await faultOf(async () => {
        const request = { partition: partition as Json, signal: controller.signal };
        for await (const batch of scan(source, running(), request, schema)) {
          if (began === 0 && batch) {
            began = performance.now();
            controller.abort();
          }
        }
      });
      expect(began).toBeGreaterThan(0);
      expect(performance.now() - began).toBeLessThan(patient(5000));
      expect(fault.code).toBe('aborted');
      await eventually(async () => expect(await running().openConnections()).toBeLessThanOrEqual(before));
    });
  });

  check(
    'a slow reader bounds the memory',
    async () => {
      const bytes = 96 << 20;
      const stream = await running().seedLarge(bytes);
      await withSource(connector, running().config, async (source) => {
        const schema = await schemaOf(source, stream);
        const [partition] = await partsOf(source, running(), 1, schema);
        const size = { rows: 1000, bytes: 1 << 20 };
        let most = 0;
        let batches = 0;
        const before = memory();
        for await (const batch of scan(source, running(), { partition: partition as Json, size }, schema)) {
          if (++batches > 12) break;
          await new Promise((resolve) => setTimeout(resolve, 60));
          if (batch) most = Math.max(most, memory() - before);
        }
        expect(batches).toBeGreaterThan(12);
        expect(most).toBeLessThan(bytes / 4);
      });
    },
    30_000,
  );
}
