import type { Client } from 'pg';

/** One table that is killed over: what is compared, and in what order its rows are named. */
export interface KilledTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** A keyed table, one with a composite key and coarse times, and one without a key that is only added to. */
export const TABLES: readonly KilledTable[] = [
  {
    name: 'items',
    columns: ['id', 'account', 'title', 'amount', 'attributes', 'payload', 'updated_at'],
    key: ['id'],
  },
  {
    name: 'lines',
    columns: ['order_id', 'line', 'quantity', 'note', 'updated_at'],
    key: ['order_id', 'line'],
  },
  { name: 'journal', columns: ['at', 'kind', 'note'], key: [] },
];

const CREATE = `
  create table items (id bigint primary key, account int not null, title text not null, amount numeric(18,4),
    attributes jsonb, payload bytea, updated_at timestamptz not null default now());
  create sequence item_ids;
  create table lines (order_id int, line int, quantity int not null, note text, updated_at timestamptz not null,
    primary key (order_id, line));
  create table journal (at timestamptz not null default now(), kind text not null, note text);
  -- Old keys of rows whose key was changed: an increment by a cursor cannot see that they are gone.
  create table moved (id bigint not null);
  create function touch() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$;
  create function touch_coarsely() returns trigger language plpgsql as
    $$ begin new.updated_at := date_trunc('second', now()); return new; end $$;`;

const FILL = `
  insert into items select i, i % 1000, 'Title "' || i || E'" of\\nmany \u2014 \u65e5\u672c ' || repeat('x', (i % 20)::int), i / 7.0,
    jsonb_build_object('n', (i || '.1234567890123456789')::numeric, 'tag', 'v' || i % 100),
    case when i % 5 > 0 then decode(md5(i::text), 'hex') end, timestamptz '2024-01-01' + i * interval '1 second'
  from generate_series(1::bigint, ROWS) i;
  insert into lines select i / 4, i % 4, i % 50, case when i % 3 > 0 then md5(i::text) end,
    timestamptz '2024-01-01' + i / 10 * interval '1 second' from generate_series(1, ROWS / 10) i;
  -- Every row is there twice.
  insert into journal select timestamptz '2024-01-01' + i / 20 * interval '1 second', 'kind ' || i % 3, 'note ' || i / 2
  from generate_series(0, ROWS / 10 - 1) i;`;

const INDEX = `
  select setval('item_ids', 10000000);
  create index on items (updated_at); create index on lines (updated_at); create index on journal (at);
  create trigger touch before insert or update on items for each row execute function touch();
  create trigger touch before insert or update on lines for each row execute function touch_coarsely();
  analyze`;

/** Creates and fills the tables; `rows` of the large one. */
export async function createTables(client: Client, rows: number): Promise<void> {
  for (const sql of [CREATE, FILL.replaceAll('ROWS', String(rows)), INDEX]) await client.query(sql);
}
