import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectorTypes } from '../../lib/connectors';
import { flags, functionsFolder, root } from './synth';

const { app } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { readonly app: string };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'explorerio-app-'));
  functionsFolder(folder, ['api', 'health', ...connectorTypes.map((type) => `sync-${type}`)]);
  mkdirSync(join(folder, 'integrations'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the app as the CDK CLI does, without an account, and with the CDK's own validation where that is wanted. */
function synthesise(name: string, context: Record<string, unknown> = {}, validate = false) {
  const own = { functions: join(folder, 'functions'), integrations: join(folder, 'integrations') };
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    CDK_OUTDIR: join(folder, name),
    CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...own, ...context }),
    ...(!validate && { CDK_VALIDATION: 'false' }),
  };
  const { status, stderr } = spawnSync(app, { cwd: root, env, shell: true, encoding: 'utf8' });
  return { status, stderr, out: join(folder, name) };
}

it('makes two stacks for the CDK CLI that pass its validation', () => {
  const { status, stderr, out } = synthesise('right', {}, true);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const stacks = Object.entries<{ readonly type: string }>(manifest.artifacts)
    .filter(([, { type }]) => type === 'aws:cloudformation:stack')
    .map(([name]) => name);
  expect(stacks.sort()).toEqual(['ExplorerIO-dev-Service', 'ExplorerIO-dev-State']);
});

it('ends with what is wrong with a setting, and no stack of the program', () => {
  const { status, stderr, out } = synthesise('wrong-context', { destination: 'oracle' });
  expect(status).toBe(1);
  expect(stderr).toContain('destination: expected "secret" or "aurora"');
  expect(stderr).toContain('cdk.json');
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(existsSync(join(out, 'manifest.json'))).toBe(false);
});

it('ends with the file, the field and the remedy of a wrong declared integration', () => {
  const file = join(folder, 'integrations', 'bad.json');
  writeFileSync(
    file,
    JSON.stringify({ name: 'bad', type: 'postgresql', connection: { uri: 'postgresql://u@h/d', prot: 1 } }),
  );
  const { status, stderr } = synthesise('wrong-file');
  writeFileSync(file, JSON.stringify({ name: 'bad', type: 'postgresql', connection: { uri: '${URL}' } }));
  const left = synthesise('left-out', { connectors: 'mysql' });
  rmSync(file);
  expect(left.stderr).toContain('bad.json needs "postgresql": add it to the list');
  expect(status).toBe(1);
  expect(stderr).toContain('bad.json: connection.prot: unknown key; did you mean "port"?');
});
