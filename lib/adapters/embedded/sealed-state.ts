import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { StateItem, StateKey, StateStore } from '../../core/ports';
import { newNonce, seal, unseal } from './credential-cipher';

/** Members of stored values that may hold secrets: documents, in which passwords may be written, and the key of digests. */
const SECRET_MEMBERS = ['document', 'digest_key'];
const KEY_BYTES = 32;

interface Sealed {
  readonly sealed: string;
  readonly nonce: string;
}

/**
 * A state whose file does not show what is secret: that lies in it encrypted, under a key that lies beside it for its owner
 * alone. Whoever has a copy of the state alone, such as a backup without the key, cannot read it.
 */
export function sealedState(state: StateStore, keyFile: string): StateStore {
  const key = stateKey(keyFile);
  const opened = (item: StateItem): StateItem => ({ ...item, value: openMembers(item, key, keyFile) });
  return {
    get: async (address) => {
      const item = await state.get(address);
      return item && opened(item);
    },
    put: (address, value, expected, expiresAt) =>
      state.put(address, sealMembers(address, value, key), expected, expiresAt),
    query: async (partition, query) => (await state.query(partition, query)).map(opened),
    delete: (address, expected) => state.delete(address, expected),
  };
}

function stateKey(path: string): Buffer {
  const key = readKey(path);
  if (key.length === KEY_BYTES) return key;
  throw new Fault('config', 'state_key_damaged', `reading the key of the state, ${path}: it is damaged`, {
    hint: 'Restore it from a backup of the data folder.',
  });
}

function readKey(path: string): Buffer {
  try {
    writeFileSync(path, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error);
  }
  try {
    return Buffer.from(readFileSync(path, 'utf8'), 'base64');
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): Fault {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Fault('config', 'data_folder_unusable', `reading the key of the state, ${path}: ${code ?? message}`, {
    hint: 'Let the user that runs ExplorerIO read and write the files of the data folder.',
    cause: error,
  });
}

function sealMembers(address: StateKey, value: Json, key: Buffer): Json {
  return changeMembers(value, (name, member) => {
    const nonce = newNonce();
    // Deflated, as otherwise a document would take a third more of the room that an item has.
    const bytes = deflateRawSync(JSON.stringify(member));
    return { sealed: seal(bytes, key, nonce, boundTo(address, name)), nonce };
  });
}

function openMembers(item: StateItem, key: Buffer, keyFile: string): Json {
  return changeMembers(item.value, (name, member) => {
    if (!isSealed(member)) return member; // of a version that did not seal
    const bytes = unseal(member.sealed, key, member.nonce, boundTo(item, name));
    if (bytes === undefined) throw wrongKey(item, keyFile);
    return JSON.parse(inflateRawSync(bytes).toString('utf8')) as Json;
  });
}

function changeMembers(value: Json, change: (name: string, member: Json) => Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = value as { readonly [name: string]: Json };
  const changed = SECRET_MEMBERS.flatMap((name) => {
    const member = fields[name];
    return member === undefined ? [] : [[name, change(name, member)] as const];
  });
  return changed.length === 0 ? value : { ...fields, ...Object.fromEntries(changed) };
}

/** A document has more members, of which `name` is one. */
function isSealed(member: Json): member is Sealed & Json {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return false;
  const { sealed, nonce, ...rest } = member as { readonly [name: string]: Json };
  return typeof sealed === 'string' && typeof nonce === 'string' && Object.keys(rest).length === 0;
}

/** What is sealed for one place cannot be put into another. */
function boundTo({ partition, sort }: StateKey, name: string): string {
  return JSON.stringify([partition, sort, name]);
}

function wrongKey({ partition, sort }: StateKey, keyFile: string): Fault {
  const message = `reading state ${partition}/${sort}: it was written under another key than that in ${keyFile}`;
  return new Fault('config', 'state_key_wrong', message, {
    hint: 'Restore that file from the backup that the state is from.',
  });
}
