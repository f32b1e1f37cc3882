import { createHash } from 'node:crypto';
import { transform, transformSync, version } from 'esbuild';

const options = { loader: 'ts', target: 'node20', format: 'esm', sourcemap: 'inline', sourcesContent: false };
const salt = `${version} ${JSON.stringify(options)}`;

export default {
  getCacheKey: (text, file) => createHash('sha256').update(`${salt}\0${file}\0${text}`).digest('hex'),
  process: (text, file) => ({ code: transformSync(text, { ...options, sourcefile: file }).code }),
  processAsync: async (text, file) => ({ code: (await transform(text, { ...options, sourcefile: file })).code }),
};
