import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';

/** The project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles one entry into `folder/name.js`; what it imports dynamically goes into chunks beside it, so that a connector
 * is loaded only when it is used. Packages stay where they are.
 */
export async function bundle(entry, folder, name, options = {}) {
  rmSync(`${root}/${folder}`, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { [name]: entry },
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
    ...options,
  });
  await stop();
  return `${root}/${folder}/${name}.js`;
}
