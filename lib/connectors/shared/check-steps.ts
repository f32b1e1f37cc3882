import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { CheckReport, CheckStep } from '../../core/check';
import { type Classify, Fault, toFault } from '../../core/fault';
import type { FoundAddress, Network } from '../../core/network';

/** What a step found: one sentence, or what is not as it should be. */
export type Outcome = string | { readonly warning: string; readonly hint: string };

/** One step of a connection test. */
export interface Step {
  readonly name: string;
  run(): Promise<Outcome>;
}

/** How the steps of a connection test are run. */
export interface StepsRun {
  readonly signal: AbortSignal;
  readonly classify: Classify;
  /** At an abort: ends what a step waits for. */
  stop(): void;
  /** In the end, however it ends: frees what the steps have opened. */
  close(): Promise<void>;
}

/** Tests a connection step by step; the steps after a failed one are skipped. */
export async function runSteps(steps: readonly Step[], run: StepsRun): Promise<CheckReport> {
  const { signal } = run;
  signal.addEventListener('abort', run.stop, { once: true });
  const done: CheckStep[] = [];
  try {
    for (const step of steps) {
      if (signal.aborted) throw aborted();
      const failed = done.some(({ state }) => state === 'failed');
      done.push(failed ? skipped(step.name) : await attempt(step, run.classify));
    }
    if (signal.aborted) throw aborted();
    return { passed: done.every(({ state }) => state !== 'failed'), steps: done };
  } finally {
    signal.removeEventListener('abort', run.stop);
    await run.close();
  }
}

async function attempt(step: Step, classify: Classify): Promise<CheckStep> {
  const began = performance.now();
  const milliseconds = () => Math.round(performance.now() - began);
  try {
    const outcome = await step.run();
    if (typeof outcome === 'string') {
      return { name: step.name, state: 'passed', detail: outcome, milliseconds: milliseconds() };
    }
    const { warning, hint } = outcome;
    return { name: step.name, state: 'warning', detail: warning, hint, milliseconds: milliseconds() };
  } catch (error) {
    const { kind, code, message, hint } = toFault(error, step.name, classify).record();
    const failed = { kind, code, detail: message, ...(hint !== undefined && { hint }) };
    return { name: step.name, state: 'failed', ...failed, milliseconds: milliseconds() };
  }
}

function skipped(name: string): CheckStep {
  return { name, state: 'skipped', detail: 'not tried, as an earlier step failed', milliseconds: 0 };
}

function aborted(): Fault {
  return new Fault('transient', 'aborted', 'stopped on request');
}

/** The step that asks for the addresses of a name; a path is that of a Unix socket. */
export function resolveStep(host: string, network: Network | undefined): Step {
  return {
    name: 'resolve',
    run: async () => (isIP(host) || host.startsWith('/') ? `${host} is an address` : resolve(host, network)),
  };
}

async function resolve(host: string, network: Network | undefined): Promise<string> {
  const addresses = network ? await allowedAddresses(host, network) : await lookup(host, { all: true });
  return `${host} is ${addresses.map(({ address }) => address).join(', ')}`;
}

/** Those that may be connected to, asked for as a connection asks. */
function allowedAddresses(host: string, network: Network): Promise<readonly FoundAddress[]> {
  return new Promise((resolve, reject) => {
    network.lookup(host, { all: true }, (error, found) =>
      error ? reject(error) : resolve(typeof found === 'string' ? [] : found),
    );
  });
}

/** Whether an address is of this machine itself. */
export function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}
