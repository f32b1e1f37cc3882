import { Fault, type Verdict, verdict } from '../../core/fault';

const AGAIN = 'It is tried again by itself.';
const DAMAGED =
  'Run "PRAGMA integrity_check" on it; restore it from a backup, or recover it by ".recover" of the sqlite3 program.';
const unopened = verdict(
  'config',
  'file_unreadable',
  'Check connection.path, and that the user who runs ExplorerIO may read the file, and those beside it that end in -wal and -shm.',
);
const failing = verdict('transient', 'disk_error', 'See whether the disk with the file works and has space.');
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check the address in connection.url, that its server runs, and that a firewall lets this machine through.',
);
const untrusted = verdict(
  'config',
  'tls_untrusted',
  'The certificate of the server in connection.url is not signed by a well-known authority, has expired, or is for another name.',
);

// https://www.sqlite.org/rescode.html
const RESULTS: { readonly [result: number]: Verdict } = {
  1: verdict('transient', 'table_changed', 'A table or column is not there any more, or not yet. It is read again.'),
  3: unopened,
  5: verdict(
    'transient',
    'file_busy',
    'Another program is writing: it is tried again by itself. Raise connection.busy_timeout, or let the writer use "PRAGMA journal_mode = WAL".',
  ),
  6: verdict('transient', 'file_busy', AGAIN),
  7: verdict('transient', 'out_of_memory', AGAIN),
  9: verdict('transient', 'statement_cancelled', AGAIN),
  8: verdict(
    'config',
    'recovery_needed',
    'A program that wrote it ended in the middle, and this connection only reads: open the file once with that program, or let ExplorerIO read a copy.',
  ),
  10: failing,
  11: verdict('config', 'file_damaged', DAMAGED),
  13: failing,
  14: unopened,
  15: verdict('transient', 'file_busy', AGAIN),
  17: verdict('transient', 'table_changed', AGAIN),
  18: verdict(
    'data',
    'value_too_large',
    'A value is larger than the limit of the driver. Leave the column out by a view.',
  ),
  26: verdict(
    'config',
    'not_a_database',
    'The file is no SQLite database, or an encrypted one. Check connection.path, or give an unencrypted copy.',
  ),
};

const CODES: { readonly [code: string]: Verdict } = {
  ENOENT: verdict(
    'config',
    'file_missing',
    'Check connection.path: it is looked for on the machine that runs the sync.',
  ),
  ENOTDIR: verdict('config', 'file_missing', 'Check connection.path: a part of it is no folder.'),
  EISDIR: verdict('config', 'not_a_database', 'connection.path is a folder; name the file in it.'),
  EACCES: unopened,
  EPERM: unopened,
  ENOSPC: verdict('transient', 'disk_full', 'Free space in the temporary folder of this machine.'),
  EIO: failing,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  EPIPE: unreachable,
  EAI_AGAIN: verdict('transient', 'name_service', 'The name service does not answer; check the network.'),
  ENOTFOUND: verdict('config', 'host_unknown', 'Check the spelling of the host in connection.url.'),
  CERT_HAS_EXPIRED: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: untrusted,
};

/** SQLite's own number of an error, with what it adds to the general one; of either driver. */
export function resultOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { rawCode, errcode } = error as { readonly rawCode?: unknown; readonly errcode?: unknown };
  const result = rawCode ?? errcode;
  return typeof result === 'number' ? result : undefined;
}

/** The general number of an error, such as 5 for a file that is busy. */
export function generalResultOf(error: unknown): number | undefined {
  const result = resultOf(error);
  return result === undefined ? undefined : result & 0xff;
}

/** What an error of a driver, the file system or a download means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  // Not by class: an error of another realm (a worker, a test's sandbox) is none of ours.
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const result = generalResultOf(error);
  const known = result === undefined ? CODES[String(code)] : RESULTS[result];
  return known && new Fault(known.kind, known.code, String(message || code), { hint: known.hint, cause: error });
}
