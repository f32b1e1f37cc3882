import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client, type ClientConfig } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type SampleTable, sampleTables } from './data';

export const SAMPLE_DATABASE = 'demo';
export const SAMPLE_ROLE = 'demo';

/** How to reach the server as somebody who may create databases. */
export type AdminConnection = Pick<ClientConfig, 'host' | 'port' | 'user' | 'password'>;

/**
 * Creates the demo database and its role, and fills its tables, all or nothing; gives the rows that were filled in.
 * A database that an interrupted attempt left behind is filled anew.
 */
export async function fillSampleSource(admin: AdminConnection, password: string): Promise<number> {
  await withClient({ ...admin, database: 'postgres' }, async (client) => {
    await createRole(client, password);
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [SAMPLE_DATABASE]);
    // Its own locale rules do not matter here; template0 takes any encoding.
    if (found.rowCount === 0) {
      await client.query(`CREATE DATABASE ${SAMPLE_DATABASE} OWNER ${SAMPLE_ROLE} TEMPLATE template0 ENCODING 'UTF8'`);
    }
  });
  const owner = { ...admin, user: SAMPLE_ROLE, password, database: SAMPLE_DATABASE };
  return withClient(owner, (client) => fillTables(client));
}

/** A password that nobody chose. */
export function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

async function createRole(client: Client, password: string): Promise<void> {
  const found = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [SAMPLE_ROLE]);
  if (found.rowCount === 0) await client.query(`CREATE ROLE ${SAMPLE_ROLE} LOGIN`);
  await client.query(`ALTER ROLE ${SAMPLE_ROLE} PASSWORD ${client.escapeLiteral(password)}`);
}

async function withClient<T>(config: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(config);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const TOUCH = `CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$`;

async function fillTables(client: Client): Promise<number> {
  let rows = 0;
  await client.query('BEGIN');
  await client.query(TOUCH);
  for (const table of sampleTables()) rows += await fillTable(client, table);
  await client.query('COMMIT');
  await client.query('ANALYZE');
  return rows;
}

async function fillTable(client: Client, { name, ddl, comment, columns, rows }: SampleTable): Promise<number> {
  await client.query(`DROP TABLE IF EXISTS ${name}`);
  await client.query(`CREATE TABLE ${name} (${ddl}, updated_at timestamptz NOT NULL DEFAULT clock_timestamp())`);
  await client.query(`COMMENT ON TABLE ${name} IS ${client.escapeLiteral(comment)}`);
  const sink = client.query(copyFrom(`COPY ${name} (${columns.join(', ')}) FROM STDIN`));
  await pipeline(Readable.from(blocks(rows())), sink);
  await client.query(`CREATE INDEX ON ${name} (updated_at)`);
  await client.query(`CREATE TRIGGER touch BEFORE UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION touch()`);
  return sink.rowCount;
}

const BLOCK_CHARACTERS = 64 * 1024;

function* blocks(rows: Iterable<readonly (string | number | boolean | null)[]>): Generator<string> {
  let block = '';
  for (const row of rows) {
    block += `${row.map(copyText).join('\t')}\n`;
    if (block.length < BLOCK_CHARACTERS) continue;
    yield block;
    block = '';
  }
  yield block;
}

const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function copyText(value: string | number | boolean | null): string {
  return value === null ? '\\N' : String(value).replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
}
