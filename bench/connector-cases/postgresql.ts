import pg from 'pg';
import { startPostgresql } from '../../test/servers/postgresql';
import { type ConnectorCase, runClient } from './case';

const TABLE = `create table public.events (
  id bigint primary key, account bigint not null, title text not null, note text, amount numeric(18,4) not null,
  ratio double precision, quantity integer not null, active boolean not null, attributes json not null, payload jsonb,
  created_at timestamptz not null, updated_at timestamptz not null)`;
const FILL = `insert into public.events select i, (i * 7919) % 100000,
  'Title "' || i || E'" of\\nmany — äöü 日本語 ' || repeat('x', (i % 20)::int),
  case when i % 10 > 0 then E'a\\tnote\\\\' || md5(i::text) end, (i % 1000000)::numeric / 7, i / 3e0, i % 1000, i % 3 = 0,
  ('{"n": ' || i || '.1234567890123456789, "tag": "v' || i % 100 || '", "ok": true}')::json,
  case when i % 4 > 0 then jsonb_build_object('list', array[i, i + 1]) end,
  timestamptz '2024-01-01' + i * interval '1 second', timestamptz '2024-01-01' + i * interval '1.5 seconds'
  from generate_series(1::bigint, $1::bigint) i`;

/** A real server; the bare client is its own. */
export const postgresqlCase: ConnectorCase = {
  name: 'postgresql',
  client: 'psql COPY',
  async start(rows) {
    const server = await startPostgresql({ version: 18, settings: { shared_buffers: '256MB', max_wal_size: '16GB' } });
    const client = new pg.Client(server.url);
    await client.connect();
    await client.query(TABLE);
    await client.query(FILL, [rows]);
    await client.query('vacuum analyze public.events');
    await client.end();
    return {
      document: {
        type: 'postgresql',
        connection: { uri: server.url },
        tables: ['events'],
        sync_settings: { bulk: 'off' },
        sync_strategy: { type: 'full' },
      },
      stream: 'events',
      async readWithClient(file) {
        await runClient('psql', ['-X', '-q', server.url, '-c', 'copy public.events to stdout'], file);
      },
      stop: () => server.stop(),
    };
  },
};
