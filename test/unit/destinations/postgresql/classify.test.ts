import { Fault } from '../../../../lib/core/fault';
import { classify, isDataError } from '../../../../lib/destinations/postgresql/classify';

const error = (code: string) => Object.assign(new Error('said so'), { code });

it.each([
  ['08006', 'transient', 'connection_lost'],
  ['57P01', 'transient', 'server_restarting'],
  ['53300', 'transient', 'too_many_connections'],
  ['40001', 'transient', 'serialization_failure'],
  ['40P01', 'transient', 'deadlock'],
  ['55P03', 'transient', 'table_busy'],
  ['ECONNREFUSED', 'transient', 'server_unreachable'],
  ['ECONNRESET', 'transient', 'connection_lost'],
  ['28P01', 'config', 'authentication_failed'],
  ['28000', 'config', 'authentication_failed'],
  ['3D000', 'config', 'database_not_found'],
  ['42501', 'config', 'permission_denied'],
  ['22P02', 'data', 'value_refused'],
  ['23505', 'data', 'constraint_violated'],
  ['54000', 'data', 'value_too_large'],
])('%s is %s/%s', (code, kind, name) => expect(classify(error(code))).toMatchObject({ kind, code: name }));

it('lets a full disk wait, with a hint', () => {
  expect(classify(error('53100'))).toMatchObject({ kind: 'transient', code: 'disk_full', retryAfterMs: 60_000 });
  expect(classify(error('53100'))?.hint).toMatch(/[Ff]ree space/);
});

it('knows nothing of errors that are not of the driver', () => {
  expect(classify(new Error('duplicate key'))).toBeUndefined();
  expect(classify(error('ERR_SOMETHING'))).toBeUndefined();
  expect(classify(undefined)).toBeUndefined();
});

it('does not take a fault of the source for a refused row', () => {
  expect(isDataError(new Fault('data', 'bad', 'reading'))).toBe(false);
  expect(isDataError(error('22P02'))).toBe(true);
});
