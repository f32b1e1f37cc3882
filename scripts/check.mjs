import { spawnSync } from 'node:child_process';
import { root } from './bundle.mjs';

// node scripts/check.mjs [NAME...]: all checks, or the named ones. One that fails does not keep the others from running.
const node = process.execPath;
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const checks = {
  types: ['node_modules/.bin/tsc', '-p', '.'],
  lint: ['node_modules/.bin/biome', 'ci', '--max-diagnostics=50', '.'],
  architecture: [node, ...jest, 'test/architecture.test.ts'],
  docs: [node, 'scripts/run.mjs', '--if-present', 'scripts/docs.ts', '--check'],
};

const unknown = process.argv.slice(2).filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(`no check is called ${unknown.join(', ')}; there are: ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const failed = names.filter((name) => {
  const start = Date.now();
  const [command, ...args] = checks[name];
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`check ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
