import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Program } from '../cli/program';
import type { PostgresqlServer } from '../servers/postgresql';
import { differences, leftovers, lostRows } from './kill-compare';
import { type Phase, RunObserver } from './kill-phase';
import { createTables } from './kill-source';
import { startWriter, type Writer } from './kill-writer';
import { generator } from './random';

/** A whole campaign: every act gets its share of the kills. */
export interface Campaign {
  readonly seed: number;
  readonly kills: number;
  readonly rows: number;
  log(line: string): void;
}

/** What came of it. */
export interface Outcome {
  /** How many kills landed where: `full auto load`. */
  readonly landed: { readonly [place: string]: number };
  readonly kills: number;
  readonly problems: readonly string[];
}

interface Act {
  readonly mode: 'full' | 'incremental' | 'cdc';
  readonly bulk: 'auto' | 'off';
}

/** One kill: when the process does `phase`, and then some time. */
interface Kill {
  readonly phase: Phase;
  readonly delayMs: number;
}

const ACTS: readonly Act[] = [
  { mode: 'full', bulk: 'auto' },
  { mode: 'full', bulk: 'off' },
  { mode: 'incremental', bulk: 'auto' },
  { mode: 'incremental', bulk: 'off' },
  { mode: 'cdc', bulk: 'auto' },
];
/** The longest wait inside each phase, about as long as the phase lasts here. */
const DELAY_MS: { readonly [phase in Phase]: number } = {
  start: 500,
  planning: 60,
  load: 700,
  increment: 150,
  publish: 150,
  idle: 0,
};
/** Where the kills of an act are to land, over and over. */
const FULL: readonly Phase[] = ['load', 'planning', 'publish', 'load', 'start'];
const FIRST_LOAD: readonly Phase[] = ['load', 'publish'];
const INCREMENTS: readonly Phase[] = ['increment', 'planning', 'increment', 'increment', 'publish', 'start'];
const POLL_MS = 3;
const MOST_MISSES = 3;

/** Plays all acts on a server of its own, in the databases `source` and `target`. */
export async function playCampaign(server: PostgresqlServer, program: Program, campaign: Campaign): Promise<Outcome> {
  const stage = await Stage.open(server, program, campaign);
  try {
    for (const [index, act] of ACTS.entries()) {
      const share = Math.floor((campaign.kills + index) / ACTS.length);
      await stage.play(act, share, campaign.seed * 1000 + index * 10);
    }
    return { landed: stage.landed, kills: stage.kills, problems: stage.problems };
  } finally {
    await stage.close();
  }
}

class Stage {
  readonly landed: { [place: string]: number } = {};
  readonly problems: string[] = [];
  kills = 0;
  readonly #program: Program;
  readonly #campaign: Campaign;
  readonly #server: PostgresqlServer;
  readonly #source: Client;
  readonly #target: Client;
  readonly #observer: RunObserver;
  readonly #data: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(
    parts: { server: PostgresqlServer; program: Program; campaign: Campaign; source: Client; target: Client },
    data: string,
    env: NodeJS.ProcessEnv,
  ) {
    this.#server = parts.server;
    this.#program = parts.program;
    this.#campaign = parts.campaign;
    this.#source = parts.source;
    this.#target = parts.target;
    this.#data = data;
    this.#env = env;
    this.#observer = new RunObserver(data);
  }

  static async open(server: PostgresqlServer, program: Program, campaign: Campaign): Promise<Stage> {
    const admin = new Client(server.url);
    await admin.connect();
    await admin.query('create database source');
    await admin.query('create database target');
    await admin.end();
    const [source, target] = [new Client(urlOf(server, 'source')), new Client(urlOf(server, 'target'))];
    await Promise.all([source.connect(), target.connect()]);
    await createTables(source, campaign.rows);
    const data = join(program.scratch, 'kill-data');
    mkdirSync(data);
    const env = { EXPLORERIO_DESTINATION_URL: urlOf(server, 'target'), INTEGRATION_LOG_LEVEL: 'error' };
    // Makes the state file, which is then read from beside.
    await program.run(['list', '--data', data], env);
    return new Stage({ server, program, campaign, source, target }, data, env);
  }

  async close(): Promise<void> {
    this.#observer.close();
    await Promise.all([this.#source.end(), this.#target.end()]);
  }

  async play(act: Act, kills: number, seed: number): Promise<void> {
    const name = `${act.mode}_${act.bulk}`;
    const begun = performance.now();
    const file = this.#document(name, act);
    const writer = await startWriter(
      urlOf(this.#server, 'source'),
      seed,
      this.#campaign.rows,
      act.mode !== 'incremental',
    );
    const random = generator(seed + 5);
    const before = this.kills;
    try {
      for (let misses = 0; this.kills - before < kills && misses < kills * MOST_MISSES; ) {
        const done = this.kills - before;
        const turn = done + misses;
        const kill =
          act.mode === 'full' ? fullKill(random, turn, done === kills - 1) : incrementalKill(random, turn, kills);
        if (kill.phase === 'increment' || kill.phase === 'idle') await writer.burst();
        if (!(await this.#kill(name, file, kill))) misses++;
        // Positions move on while the writer has transactions open, or there would be nothing to miss later.
        else if (act.mode !== 'full' && done % 2 === 1) await this.#finish(name, file);
      }
    } finally {
      await writer.stop();
    }
    if (this.kills - before < kills) this.#note(name, [`only ${this.kills - before} of ${kills} kills hit`]);
    await this.#end(name, act, file, writer);
    this.#campaign.log(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }

  #document(name: string, { mode, bulk }: Act): string {
    const file = join(this.#program.scratch, `${name}.json`);
    const { host, port, user, password } = this.#server;
    const document = {
      name,
      type: 'postgresql',
      connection: { host, port, database: 'source', username: user, password: '${KILL_PASSWORD}' },
      tables: ['items', 'lines', 'journal'],
      sync_settings: { bulk },
      sync_strategy: { type: mode },
      ...(mode === 'incremental' && { streams: { journal: { cursor: 'at' } } }),
    };
    this.#env.KILL_PASSWORD = password;
    writeFileSync(file, JSON.stringify(document));
    return file;
  }

  /** Starts a sync and kills it; false when it had ended before. */
  async #kill(name: string, file: string, kill: Kill): Promise<boolean> {
    const child = this.#program.start(['sync', file, '--data', this.#data], this.#env);
    const pid = child.process.pid ?? 0;
    let ended = false;
    child.ended.then(() => {
      ended = true;
    });
    while (!ended && kill.phase !== 'start' && (await this.#observer.phase(name, pid)) !== kill.phase) {
      await sleep(POLL_MS);
    }
    await sleep(kill.delayMs);
    child.process.kill('SIGKILL');
    const { code, err } = await child.ended;
    if (code !== null) {
      if (code !== 0) this.#note(name, [`a sync ended with code ${code}: ${err}`]);
      return false;
    }
    this.kills++;
    const place = `${name} ${await this.#observer.phase(name, pid)}`;
    this.landed[place] = (this.landed[place] ?? 0) + 1;
    return true;
  }

  /** Finishes what was interrupted, syncs once more without writes, and compares. */
  async #end(name: string, { mode }: Act, file: string, writer: Writer): Promise<void> {
    await this.#finish(name, file);
    const source = { client: this.#source, schema: 'public' };
    const target = { client: this.#target, schema: name };
    // A load that went on after a kill may be older than the source, but has every row that was there all the time.
    if (mode === 'full') this.#note(name, await lostRows(source, target, this.#campaign.rows));
    await this.#finish(name, file);
    const except =
      mode !== 'incremental' ? [] : (await this.#source.query<{ id: string }>('select id from moved')).rows;
    const ids = except.map(({ id }) => id);
    this.#note(name, await differences(source, target, ids));
    this.#note(name, await leftovers(target));
    if (await this.#observer.isActive(name)) this.#note(name, ['left behind: a run that is active']);
    this.#campaign.log(`${name}: writes ${JSON.stringify(writer.counts)}`);
  }

  async #finish(name: string, file: string): Promise<void> {
    const { code, err, out } = await this.#program.run(['sync', file, '--json', '--data', this.#data], this.#env);
    if (code !== 0) this.#note(name, [`a sync that nobody killed ended with code ${code}: ${err} ${out}`]);
  }

  #note(name: string, problems: readonly string[]): void {
    this.problems.push(...problems.map((problem) => `${name}: ${problem}`));
  }
}

function urlOf(server: PostgresqlServer, database: string): string {
  return server.url.replace(/\/[^/]*$/, `/${database}`);
}

/** The last kill is in the middle of a load, so that what is looked at first is a load that was interrupted. */
function fullKill(random: () => number, turn: number, isLast: boolean): Kill {
  return within(isLast ? 'load' : (FULL[turn % FULL.length] ?? 'load'), random);
}

/** The first quarter in the first load, the others in increments. */
function incrementalKill(random: () => number, turn: number, kills: number): Kill {
  const places = turn < kills / 4 ? FIRST_LOAD : INCREMENTS;
  return within(places[turn % places.length] ?? 'increment', random);
}

function within(phase: Phase, random: () => number): Kill {
  return { phase, delayMs: random() * DELAY_MS[phase] };
}
