import { chmodSync, readFileSync } from 'node:fs';
import { bundle, root } from './scripts/bundle.mjs';

const entry = 'bin/explorerio.ts';
const hasShebang = readFileSync(`${root}/${entry}`, 'utf8').startsWith('#!');
const file = await bundle(entry, 'dist', 'explorerio', hasShebang ? {} : { banner: { js: '#!/usr/bin/env node' } });
chmodSync(file, 0o755);
