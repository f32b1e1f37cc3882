import type { Connection } from 'oracledb';
import { oracleConfig } from '../../lib/connectors/oracle/config';
import { connect } from '../../lib/connectors/oracle/connection';
import { endpointOf } from '../../lib/connectors/oracle/endpoint';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import {
  connectionOf,
  type GivenServer,
  type GivenSource,
  NOBODY,
  type OfServer,
  onlyWith,
} from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import type { Config, RunningSource } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { freePort } from '../servers/port';

type Query = (statement: string) => Promise<(string | null)[][]>;

const SEEDED: Omit<StreamSchema, 'stream'> = {
  key: ['ID'],
  columns: [
    { name: 'ID', type: 'int64', nullable: false, native: 'oracle/NUMBER(18,0)' },
    { name: 'NAME', type: 'text', nullable: false, native: 'oracle/VARCHAR2(100 CHAR)' },
    { name: 'NOTE', type: 'text', nullable: true, native: 'oracle/CLOB' },
    { name: 'AMOUNT', type: 'decimal', nullable: false, native: 'oracle/NUMBER(12,2)' },
    { name: 'UPDATED_AT', type: 'timestamp', nullable: false, native: 'oracle/TIMESTAMP(6)' },
  ],
};
const NOW = 'sys_extract_utc(systimestamp)';
const VALUES = `g, 'name "' || g || '"' || chr(9) || '\\ ' || chr(10) || ' é 🙂', case when mod(g, 3) = 0 then 'note' end, g * 1.25`;
const ROW_BYTES = 4000;
const PIECE = 32_000;
const PIECES = 500;
// A unique index has no entry where all its columns are null, so these two are not the same to it.
const NULLS: readonly Row[] = [
  [1, null],
  [1, 2],
  [2, null],
  [null, null],
  [null, null],
];
const WITHOUT_RIGHT = 'SELECT on V_$TRANSACTION, without which increments by a time read the last minute again';

/** Oracle as a fixture, on a server of the user's. None could be had where this was written. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix } = given;
  const connections = watchSockets();
  const endpoint = endpointOf(oracleConfig.parse(given.config));
  const { connection: client } = await connect(endpoint);
  const { connection: late } = await connect(endpoint);
  const own = await connections();
  const query = queryOf(client);
  const made = async (beginning: string) => {
    const found = await query(
      `select table_name from user_tables where substr(table_name, 1, ${beginning.length}) = '${beginning}' order by 1`,
    );
    return found.map(([name]) => name ?? '');
  };
  const seesTransactions = await query('select 1 from v$transaction where 1 = 0').then(
    () => true,
    () => false, // which is what was asked
  );
  const config = { ...given.config, tables: [`${prefix}*`] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  const { host, port, tls } = endpoint;
  return {
    ...sourceOf({ query, late: queryOf(late), prefix }),
    config,
    required: ['connection', 'connection.username'],
    secrets: [endpoint.password?.reveal() ?? NOBODY.password],
    wrongPassword: () => changed(NOBODY),
    noDatabase: () => changed({ service_name: 'explorerio_verify_nowhere' }),
    closedPort: async () => changed({ host: '127.0.0.1', port: await freePort() }),
    ...(host !== undefined &&
      tls === undefined && {
        line: {
          host,
          port,
          through: (through) => changed({ host: '127.0.0.1', port: through, connect_timeout: '3s' }),
        },
      }),
    openConnections: async () => (await connections()) - own,
    notRun: {
      [TROUBLE.names]: 'Oracle allows no quotation mark in names',
      ...(!seesTransactions && onlyWith(WITHOUT_RIGHT)),
      ...(host === undefined && {
        [TROUBLE.noDatabase]: 'the service is in the descriptor',
        'a closed port is transient, with a hint': 'the port is in the descriptor',
        'secrets are in no log line, fault, report or JSON':
          'the port, which has to be another one for it, is in the descriptor',
      }),
    },
    made,
    async removeAll() {
      for (const name of await made(prefix)) await query(`drop table "${name}" purge`);
    },
    async stop() {
      await Promise.all([client.close(), late.close()]);
    },
  };
}

interface Place {
  readonly query: Query;
  /** For what is committed late. */
  readonly late: Query;
  readonly prefix: string;
}

function sourceOf({ query, late, prefix }: Place): Omit<RunningSource, OfServer | 'required'> {
  const items = `"${prefix}items"`;
  const anew = async (table: string, columns: string) => {
    const stream = prefix + table;
    const [there] = await query(`select 1 from user_tables where table_name = '${stream}'`);
    if (there) await query(`drop table "${stream}" purge`);
    await query(`create table "${stream}" (${columns})`);
    return { name: `"${stream}"`, stream };
  };
  const chosen = (ids: readonly number[]) => `id in (${ids.join(', ')})`;
  const rows = async (condition: string, by = query): Promise<Row[]> =>
    (
      await by(`select to_char(id), name, dbms_lob.substr(note, 100), to_char(amount, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,'''),
        to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS.FF6') from ${items} where ${condition}`)
    ).map(rowOf);
  const insert = async (ids: readonly number[], by: Query) => {
    const numbers = ids.map((id) => `select ${id} as g from dual`).join(' union all ');
    await by(`insert into ${items} select ${VALUES}, ${NOW} from (${numbers})`);
  };
  return {
    expected: { stream: `${prefix}items`, ...SEEDED },
    cursor: 'UPDATED_AT',
    async seed(count) {
      await anew(
        'items',
        `id number(18) primary key, name varchar2(100 char) not null, note clob, amount number(12,2) not null,
          updated_at timestamp(6) not null`,
      );
      await query(`insert into ${items} select ${VALUES},
        ${NOW} - interval '1' hour + numtodsinterval(trunc(g / 7) / 1000, 'SECOND') from ${upTo(count)}`);
      await query('commit');
      return rows('1 = 1');
    },
    async insert(ids) {
      await insert(ids, query);
      await query('commit');
      return rows(chosen(ids));
    },
    async update(ids) {
      await query(`update ${items} set amount = amount + 1, updated_at = ${NOW} where ${chosen(ids)}`);
      await query('commit');
      return rows(chosen(ids));
    },
    async remove(ids) {
      await query(`delete from ${items} where ${chosen(ids)}`);
      await query('commit');
    },
    async addColumn(name) {
      await query(`alter table ${items} add ("${name}" number(9))`);
    },
    async seedLarge(bytes) {
      const { name, stream } = await anew('large', `id number(9) primary key, filling varchar2(${ROW_BYTES} byte)`);
      await query(
        `insert into ${name} select g, rpad('x', ${ROW_BYTES}, 'x') from ${upTo(Math.ceil(bytes / ROW_BYTES))}`,
      );
      await query('commit');
      return stream;
    },
    async seedNulls() {
      const { name, stream } = await anew('nulls', 'a number(9), b number(9), unique (a, b)');
      const values = NULLS.map(([a, b]) => `select ${String(a)} as a, ${String(b)} as b from dual`).join(' union all ');
      await query(`insert into ${name} ${values}`);
      await query('commit');
      return { stream, rows: NULLS };
    },
    async seedText() {
      const { name, stream } = await anew('text', 'id number(9) primary key, value clob');
      await query(`declare value clob; begin
        insert into ${name} values (1, empty_clob()) returning value into value;
        for piece in 1 .. ${PIECES} loop
          dbms_lob.writeappend(value, ${PIECE}, rpad('x', ${PIECE}, 'x'));
        end loop;
        commit; end;`);
      return { stream, bytes: PIECES * PIECE };
    },
    async insertLate(ids) {
      await insert(ids, late);
      const written = await rows(chosen(ids), late);
      return async () => {
        await late('commit');
        return written;
      };
    },
  };
}

function rowOf([id, name, note, amount, time]: (string | null)[]): Row {
  return [BigInt(id ?? ''), name ?? '', note ?? null, amount ?? null, (time ?? '').replace(/\.?0+$/, '')];
}

/** The numbers from one on. */
function upTo(count: number): string {
  return `(select level as g from dual connect by level <= ${count})`;
}

/** What the driver does without options: small answers as a whole. */
interface Executes {
  execute(statement: string): Promise<{ readonly rows?: (string | null)[][] }>;
}

function queryOf(connection: Connection): Query {
  return async (statement) => {
    const { rows = [] } = await (connection as unknown as Executes).execute(statement);
    return rows;
  };
}
