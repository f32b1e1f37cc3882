import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import oracledb, { type FetchTypeHandler } from 'oracledb';
import Transport, { type TransportAddress } from 'oracledb/lib/thin/sqlnet/ntTcp.js';

// In the cloud this file is a bundle of its own for the API, so nothing is imported here whose class is asked for elsewhere.

/** Whom a server may turn out to be. */
export interface Expected {
  /** As it was written in the descriptor, or by the listener that sent here. */
  readonly host: string;
  /** The host whose listener sent here. */
  readonly from?: string;
  /** Where a descriptor asks for a certain certificate: whether it is that. */
  isAsked?(certificate: PeerCertificate): Error | undefined;
}

/** One attempt to connect: the driver's sockets are opened by it. */
export interface Dial {
  /** A socket on its way to the address. @throws where it may not be connected to */
  open(address: TransportAddress, proxy: string | undefined): Socket;
  /** A socket on its way to be encrypted. */
  encrypt(plain: Socket, expected: Expected): TLSSocket;
}

/** Inside `dialling.run(dial, ...)` the driver connects as the dial says. */
export const dialling = new AsyncLocalStorage<Dial>();

const KEEP_ALIVE_MS = 60_000;

// The driver opens its sockets itself, those to where a listener sends it on as well. It is the one class that all of them go
// through; the driver is pinned. https://github.com/oracle/node-oracledb/blob/v26.0.0/lib/thin/sqlnet/ntTcp.js
Transport.prototype.ntConnect = async function ntConnect(address) {
  const socket = currentDial().open(address, this.atts.httpsProxy ?? address.httpsProxy);
  this.stream = socket;
  await once(socket, 'connect');
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  this.connected = true;
};

Transport.prototype.tlsConnect = async function tlsConnect(_context, plain) {
  const { hostName: host, originHost: from, atts } = this;
  plain.removeAllListeners();
  const socket = currentDial().encrypt(plain, {
    host,
    ...(from !== undefined && { from }),
    ...(atts.sslServerCertDN !== undefined && { isAsked: (certificate) => this.dnMatch(host, certificate) }),
  });
  this.stream = socket;
  this.connStream = plain;
  await once(socket, 'secureConnect');
};

function currentDial(): Dial {
  const dial = dialling.getStore();
  if (dial === undefined) throw new Error('connecting to Oracle outside of a dial');
  return dial;
}

/** What the driver would round or give as a stream comes as text or bytes. */
export const fetchAs: FetchTypeHandler = ({ dbType }) => {
  if (TEXTS.has(dbType)) return { type: oracledb.STRING };
  return dbType === oracledb.DB_TYPE_BLOB ? { type: oracledb.BUFFER } : undefined;
};

const TEXTS = new Set([oracledb.DB_TYPE_NUMBER, oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_NCLOB]);

export { oracledb };
