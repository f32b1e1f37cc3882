import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { generator } from './random';

/** Writes without a pause until it is stopped. */
export interface Writer {
  /** Transactions committed so far, by what they did. */
  readonly counts: { readonly [kind: string]: number };
  /** Changes one row in ten at once, so that the next increment has something to read. */
  burst(): Promise<void>;
  /** Ends when the last transaction is committed. */
  stop(): Promise<void>;
}

interface Statement {
  readonly kind: string;
  readonly sql: string;
}

const PAUSE_MS = 8;
const MOVE = `with victim as (select id from items where id >= FROM order by id limit 1 for update),
  gone as (insert into moved select id from victim)
  update items set id = nextval('item_ids') from victim where items.id = victim.id`;

/**
 * Two sessions: one of short transactions, one of transactions that stay open for 0.2 to 1 s and then commit times that
 * are older than what the other has committed since. What is written follows from the seed.
 */
export async function startWriter(url: string, seed: number, rows: number, deletes: boolean): Promise<Writer> {
  const clients = [new Client(url), new Client(url)] as const;
  for (const client of clients) await client.connect();
  const counts: { [kind: string]: number } = {};
  let stopped = false;
  const count = (kind: string) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const loop = async (turn: () => Promise<void>) => {
    while (!stopped) await turn();
  };
  const [quick, slow] = clients;
  const quickRandom = generator(seed);
  const slowRandom = generator(seed + 1);
  const bursts = generator(seed + 2);
  const loops = [
    loop(async () => {
      const { kind, sql } = statement(quickRandom, rows, deletes);
      if (await committed(quick, [sql])) count(kind);
      await sleep(quickRandom() * 2 * PAUSE_MS);
    }),
    loop(async () => {
      const first = statement(slowRandom, rows, deletes);
      const second = statement(slowRandom, rows, deletes);
      const open = 200 + slowRandom() * 800;
      if (await committed(slow, [first.sql, `select pg_sleep(${open / 1000})`, second.sql])) count('late');
    }),
  ];
  return {
    counts,
    async burst() {
      const rest = Math.floor(bursts() * 10);
      const client = new Client(url);
      await client.connect();
      await client.query(`set deadlock_timeout = '50ms'`);
      const sql = `update items set amount = coalesce(amount, 0) + 1 where id % 10 = ${rest}`;
      while (!(await committed(client, [sql]))) await sleep(PAUSE_MS);
      count('burst');
      await client.end();
    },
    async stop() {
      stopped = true;
      await Promise.all(loops);
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

function statement(random: () => number, rows: number, deletes: boolean): Statement {
  const among = (count: number) => Math.floor(random() * count);
  const id = 1 + among(rows);
  const line = among(rows / 40);
  const choices: Statement[] = [
    {
      kind: 'insert',
      sql: `insert into items (id, account, title, amount, attributes) select nextval('item_ids'), ${among(1000)}, 'new ' || i,
        ${among(10_000)} / 3.0, '{"k": 1.00000000000000000000001}' from generate_series(1, ${1 + among(20)}) i`,
    },
    {
      kind: 'update',
      sql: `update items set title = 'changed ${among(1e9)}', amount = amount + 1 where id between ${id} and ${id + among(40)}`,
    },
    { kind: 'move', sql: MOVE.replace('FROM', String(id)) },
    { kind: 'equal', sql: `update lines set quantity = quantity + 1 where order_id between ${line} and ${line + 5}` },
    {
      kind: 'line',
      sql: `insert into lines select ${10_000_000 + among(1e9)}, i, ${among(50)}, 'late' from generate_series(1, 3) i
        on conflict do nothing`,
    },
    // The same row several times.
    {
      kind: 'journal',
      sql: `insert into journal (kind, note) select 'new', '${among(1000)}' from generate_series(1, ${1 + among(4)})`,
    },
  ];
  if (deletes) {
    choices.push({ kind: 'delete', sql: `delete from items where id between ${id} and ${id + among(20)}` });
    choices.push({ kind: 'delete', sql: `delete from lines where order_id = ${line}` });
  }
  return choices[among(choices.length)] ?? { kind: 'none', sql: 'select 1' };
}

/** Runs one transaction; false when it was the victim of a deadlock. */
async function committed(client: Client, statements: readonly string[]): Promise<boolean> {
  try {
    await client.query('begin');
    for (const sql of statements) await client.query(sql);
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback');
    if ((error as { readonly code?: string }).code === '40P01') return false;
    throw error;
  }
}
