import { MultiBar, type SingleBar } from 'cli-progress';
import { FINAL_STATES } from '../../lib/core/run';
import type { RunDetails, StreamRun } from '../wire';
import { count, duration, plain, plural, shorten } from './format';
import type { TextStream } from './printer';

/** Shows how runs come along. */
export interface Progress {
  update(run: RunDetails): void;
  stop(): void;
}

/** Bars on a terminal, plain lines elsewhere, nothing when a program reads along. */
export function createProgress(stream: TextStream, silent: boolean): Progress {
  if (silent) return { update: () => undefined, stop: () => undefined };
  return stream.isTTY ? bars(stream as NodeJS.WriteStream) : lines(stream);
}

const NAME_WIDTH = 32;

function bars(stream: NodeJS.WriteStream): Progress {
  const multi = new MultiBar({
    stream,
    format: '{name} {bar} {state} {rows} rows{left}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    // Bars stay as they are when the work ends, below them comes the result.
    clearOnComplete: false,
    emptyOnZero: true,
  });
  const known = new Map<string, SingleBar>();
  const retried = retriedFaults();
  return {
    update(run) {
      for (const line of retried(run)) multi.log(`${line}\n`);
      for (const one of run.streams) {
        const key = `${run.id} ${one.stream}`;
        const { total, value, payload } = barOf(one, run.seconds);
        const bar = known.get(key) ?? multi.create(total, value, payload);
        known.set(key, bar);
        bar.setTotal(total);
        bar.update(value, payload);
      }
    },
    stop: () => multi.stop(),
  };
}

/** Why a run that goes on is slow: each fault that is being retried, once. */
function retriedFaults(): (run: RunDetails) => string[] {
  const told = new Set<string>();
  return (run) => {
    if (FINAL_STATES.includes(run.state)) return [];
    const faults = [run.fault, ...run.streams.map((stream) => stream.fault)].filter(
      (fault) => fault?.kind === 'transient',
    );
    return faults.flatMap((fault) => {
      if (fault === undefined || told.has(fault.message)) return [];
      told.add(fault.message);
      return [
        `${run.integration}: trying again after: ${plain(fault.message)}${fault.hint ? ` (${plain(fault.hint)})` : ''}`,
      ];
    });
  };
}

function barOf(stream: StreamRun, seconds: number) {
  const done = stream.state === 'succeeded';
  const total = Math.max(done ? stream.rows : (stream.estimated_rows ?? 0), stream.rows, 1);
  const value = done ? total : stream.rows;
  const rate = stream.rows / Math.max(seconds, 0.1);
  const left = done || stream.estimated_rows === undefined || rate < 1 ? 0 : (total - stream.rows) / rate;
  const payload = {
    name: shorten(plain(stream.stream), NAME_WIDTH).padEnd(NAME_WIDTH),
    state: stream.state.padEnd(9),
    rows: count(stream.rows),
    left: left < 1 ? '' : `, ${duration(left)} left`,
  };
  return { total, value, payload };
}

const LINE_EVERY_MS = 5000;

function lines(stream: TextStream): Progress {
  const states = new Map<string, string>();
  let lastLine = Date.now();
  const retried = retriedFaults();
  return {
    update(run) {
      for (const line of retried(run)) stream.write(`${line}\n`);
      const due = Date.now() - lastLine >= LINE_EVERY_MS;
      for (const one of run.streams) {
        const key = `${run.id} ${one.stream}`;
        const changed = states.get(key) !== one.state;
        states.set(key, one.state);
        if (!changed && !(due && one.state === 'running')) continue;
        lastLine = Date.now();
        const estimate = one.state === 'running' ? one.estimated_rows : undefined;
        const rows = estimate ? `${count(one.rows)} of about ${plural(estimate, 'row')}` : plural(one.rows, 'row');
        stream.write(`${run.integration} ${plain(one.stream)}: ${one.state}, ${rows}\n`);
      }
    },
    stop: () => undefined,
  };
}
