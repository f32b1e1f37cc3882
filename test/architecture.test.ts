import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { areaOf, folderCycles, wrongDirections } from './architecture/direction';
import {
  DEFAULT_EXPORT,
  LONGEST_FILE,
  LONGEST_MEDIAN,
  linesLike,
  longFiles,
  loosePins,
  medianLines,
  UNFINISHED,
  undocumentedExports,
} from './architecture/form';
import { registryEntries, registryFaults } from './architecture/registry';
import { importsOf, readTree, type Tree } from './architecture/tree';

const root = fileURLToPath(new URL('..', import.meta.url));
const code = readTree(root, ['lib', 'bin', 'functions', 'test', 'scripts', 'bench']);
const all: Tree = new Map([...code, ...readTree(root, ['docs'])]);

const fake = (files: Record<string, string>): Tree => new Map(Object.entries(files));
const importing = (file: string, specifier: string): Tree => fake({ [file]: `import { a } from '${specifier}';\n` });

describe('imports', () => {
  it('go in the direction of the design', () => {
    expect(code.size).toBeGreaterThan(10);
    expect(wrongDirections(code)).toEqual([]);
  });

  it('make no cycle between folders', () => {
    expect(folderCycles(code)).toEqual([]);
  });

  it.each([
    ['lib/core/batch.ts', '../engine/slice'],
    ['lib/core/batch.ts', 'pg'],
    ['lib/core/batch.ts', 'node:fs/promises'],
    ['lib/engine/slice.ts', '../pipeline/compile'],
    ['lib/engine/slice.ts', '../adapters/embedded/state'],
    ['lib/engine/slice.ts', 'node:child_process'],
    ['lib/pipeline/compile.ts', '../connectors'],
    ['lib/pipeline/compile.ts', '../places/places'],
    ['lib/pipeline/steps/data-enrichment.ts', 'node:fs/promises'],
    ['lib/places/places.ts', '../pipeline/compile'],
    ['lib/places/places.ts', '../adapters/embedded/state'],
    ['lib/health/probe.ts', '../api/routes'],
    ['lib/connectors/mysql/scan.ts', '../postgresql/scan'],
    ['lib/connectors/mysql/scan.ts', '../../engine/retry'],
    ['lib/connectors/shared/sql/keyset.ts', '../../mysql/scan'],
    ['lib/connectors/index.ts', '../destinations/postgresql'],
    ['lib/destinations/postgresql/write.ts', '../../connectors/shared/sql'],
    ['lib/api/routes.ts', '../adapters/embedded/state'],
    ['lib/adapters/embedded/state.ts', '../aws/state'],
    ['lib/adapters/embedded/state.ts', '../../engine/run'],
    ['lib/adapters/embedded/state.ts', '@aws-sdk/client-dynamodb'],
    ['lib/engine/run.ts', 'aws-cdk-lib/aws-lambda'],
    ['lib/engine/run.ts', '../../test/servers/port'],
  ])('from %s of %s is found to be wrong', (file, specifier) => {
    const twoFiles = new Map([...importing(file, specifier), ['lib/connectors/mysql/index.ts', '']]);
    expect(wrongDirections(twoFiles)).toEqual([expect.stringContaining(`${file} imports ${specifier}`)]);
  });

  it.each([
    ['lib/core/config.ts', 'zod'],
    ['lib/engine/slice.ts', '../core/batch'],
    ['lib/engine/slice.ts', 'node:crypto'],
    ['lib/connectors/index.ts', './mysql'],
    ['lib/connectors/mysql/scan.ts', '../shared/sql/keyset'],
    ['lib/connectors/mariadb/index.ts', '../mysql'],
    ['lib/api/routes.ts', '../engine/plan'],
    ['bin/explorerio.ts', '../lib/adapters/embedded/state'],
    ['functions/sync/handler.ts', '../../lib/adapters/aws/state'],
  ])('from %s of %s is found to be right', (file, specifier) => {
    expect(wrongDirections(importing(file, specifier))).toEqual([]);
  });

  it('are seen in every form', () => {
    const text = [
      `import a from './static';`,
      `import type { B } from './type-only';`,
      `import {\n  c,\n  type D,\n} from './many-lines';`,
      `export * from './exported';`,
      `export { e } from './named';`,
      `import './for-effect';`,
      `const f = await import('./dynamic');`,
      `type G = import('./in-a-type').G;`,
    ].join('\n');
    const names = ['static', 'type-only', 'many-lines', 'exported', 'named', 'for-effect', 'dynamic', 'in-a-type'];
    expect(importsOf('lib/x/y.ts', text).map(({ target }) => target)).toEqual(names.map((name) => `lib/x/${name}`));
  });

  it('in a circle are found', () => {
    const circle = fake({
      'lib/api/routes.ts': `import type { A } from '../engine/plan';`,
      'lib/engine/plan.ts': `const b = await import('../health/probe');`,
      'lib/health/probe.ts': `export { c } from '../api/routes';`,
    });
    expect(folderCycles(circle)).toEqual(['lib/api -> lib/engine -> lib/health -> lib/api']);
  });

  it.each([
    ['lib/core/batch.ts', 'lib/core'],
    ['lib/connectors/index.ts', 'lib/connectors'],
    ['lib/connectors/mysql/scan.ts', 'lib/connectors/mysql'],
    ['lib/adapters/aws/state.ts', 'lib/adapters/aws'],
    ['bin/explorerio.ts', 'bin'],
  ])('see %s as a part of %s', (file, area) => {
    expect(areaOf(file)).toBe(area);
  });
});

describe('files', () => {
  it(`have at most ${LONGEST_FILE} lines`, () => {
    expect(longFiles(code)).toEqual([]);
    expect(longFiles(fake({ 'lib/a.ts': 'x\n'.repeat(401), 'lib/b.ts': 'x\n'.repeat(400) }))).toHaveLength(1);
  });

  it(`of lib have fewer than ${LONGEST_MEDIAN} lines in the median`, () => {
    expect(medianLines(code, 'lib/')).toBeGreaterThan(0);
    expect(medianLines(code, 'lib/')).toBeLessThan(LONGEST_MEDIAN);
    const three = { 'lib/a.ts': 'x\n'.repeat(300), 'lib/b.ts': 'x\n', 'lib/c.ts': 'x\n'.repeat(120) };
    expect(medianLines(fake(three), 'lib/')).toBe(120);
    expect(medianLines(fake({ ...three, 'lib/d.ts': 'x\n'.repeat(80) }), 'lib/')).toBe(100);
  });

  it('of lib have no default export', () => {
    expect(linesLike(code, 'lib/', DEFAULT_EXPORT)).toEqual([]);
    const two = {
      'lib/a.ts': 'export default 1;',
      'lib/b.ts': 'export { a as default };',
      'lib/c.ts': 'export const d = 1;',
    };
    expect(linesLike(fake(two), 'lib/', DEFAULT_EXPORT)).toHaveLength(2);
  });

  it('leave nothing to be done later', () => {
    expect(linesLike(code, '', UNFINISHED)).toEqual([]);
    for (const word of ['TO', 'FIX']) {
      const text = `// ${word}${word === 'TO' ? 'DO' : 'ME'}: later`;
      expect(linesLike(fake({ 'bin/a.ts': text }), '', UNFINISHED)).toEqual([`bin/a.ts:1: ${text}`]);
    }
  });

  it('of lib/core explain every name that they export', () => {
    expect(undocumentedExports(code, 'lib/core/')).toEqual([]);
    const text = '/** Yes. */\nexport type A = 1;\n\nexport const b = 2;\n\nexport async function c() {}\n';
    expect(undocumentedExports(fake({ 'lib/core/a.ts': text }), 'lib/core/')).toEqual([
      'lib/core/a.ts: b has no doc comment',
      'lib/core/a.ts: c has no doc comment',
    ]);
  });

  it('of packages are pinned exactly', () => {
    expect(loosePins(readFileSync(`${root}/package.json`, 'utf8'))).toEqual([]);
    const loose = { dependencies: { a: '^1.2.3', b: '1.2.3' }, devDependencies: { c: 'latest', d: '18.4.0-beta.17' } };
    expect(loosePins(JSON.stringify(loose))).toEqual([
      expect.stringMatching(/^a is \^1\.2\.3/),
      expect.stringMatching(/^c is latest/),
    ]);
  });
});

describe('a registry line is a folder, a fixture and a page', () => {
  it.each([
    ['connectors', true],
    ['destinations', false],
  ] as const)('in lib/%s', (folder, hasFixture) => {
    expect(registryFaults(all, { folder, hasFixture })).toEqual([]);
  });

  const right = {
    'lib/connectors/index.ts': `export const connectors = {\n  mysql: () => import('./mysql'),\n};\n`,
    'lib/connectors/mysql/index.ts': '',
    'lib/connectors/shared/sql/keyset.ts': '',
    'test/connectors/mysql.ts': '',
    'docs/connectors/mysql.md': '',
  };
  const faults = (change: Record<string, string>, without = '') => {
    const files = Object.entries({ ...right, ...change }).filter(([file]) => file !== without);
    return registryFaults(new Map(files), { folder: 'connectors', hasFixture: true });
  };

  it('and says nothing when all is there', () => {
    expect(faults({})).toEqual([]);
  });

  it.each(['lib/connectors/mysql/index.ts', 'test/connectors/mysql.ts', 'docs/connectors/mysql.md'])(
    'and misses %s',
    (file) => {
      expect(faults({}, file)).toEqual([expect.stringContaining('names mysql, but there is no')]);
    },
  );

  it.each(['lib/connectors/oracle/index.ts', 'test/connectors/oracle.ts', 'docs/connectors/oracle.md'])(
    'and wonders about %s',
    (file) => {
      expect(faults({ [file]: '' })).toEqual([expect.stringContaining('has no line for it')]);
    },
  );

  it.each([
    ['an entry that imports another folder', `  mysql: () => import('./mysql'),\n  mariadb: () => import('./mysql'),`],
    ['two lines of one type', `  mysql: () => import('./mysql'),\n  mysql: () => import('./mysql'),`],
    ['an import on a line of its own', `  mysql: () => import('./mysql'),\n  other:\n    () => import('./mysql'),`],
    ['no entries', 'export const connectors = {};'],
  ])('and refuses %s', (_what, text) => {
    expect(faults({ 'lib/connectors/index.ts': text })).not.toEqual([]);
  });

  it('and reads the usual forms of a line', () => {
    const text = [
      `  postgresql: () => import('./postgresql'),`,
      `  'rest_api': async () => (await import('./rest_api')).restApi,`,
      `  kafka: () => import("./kafka/definition").then((module) => module.kafka),`,
    ].join('\n');
    expect(registryEntries(text).map(({ type }) => type)).toEqual(['postgresql', 'rest_api', 'kafka']);
  });
});
