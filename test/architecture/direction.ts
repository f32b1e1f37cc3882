import { allImports, type Import, type Tree } from './tree';

/** Modules that reach out of the process. Pure folders get them injected as ports. */
const OUTWARD = /^(node:)?(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster)(\/|$)/;
const PURE = /^lib\/(core|engine|pipeline|health)$/;

/**
 * The part of the project that a path (without extension) belongs to: `lib/core`, `lib/connectors/mysql`,
 * `lib/adapters/aws`; the registries are `lib/connectors` and `lib/destinations`.
 */
export function areaOf(path: string): string {
  const [top = '', second = '', third = ''] = path.replace(/\.(ts|mjs)$/, '').split('/');
  if (top !== 'lib') return top;
  if (!['connectors', 'destinations', 'adapters'].includes(second)) return `lib/${second}`;
  return third === '' || third === 'index' ? `lib/${second}` : `lib/${second}/${third}`;
}

const SEES_EVERYTHING = ['bin', 'functions', 'test', 'bench', 'scripts'];

function mayImport(from: string, to: string, isAlias: boolean): boolean {
  if (from === to || SEES_EVERYTHING.includes(from) || from === 'lib/infra') return true;
  if (!to.startsWith('lib/')) return false;
  if (from === 'lib/core') return false;
  if (to === 'lib/core') return true;
  const [, kind = '', name = ''] = from.split('/');
  if (kind === 'api') return /^lib\/(engine|pipeline|health|connectors|destinations)$/.test(to);
  if (kind !== 'connectors' && kind !== 'destinations') return false;
  if (name === '') return to.startsWith(`lib/${kind}/`);
  return to === `lib/${kind}/shared` || (isAlias && name !== 'shared' && to.startsWith(`lib/${kind}/`));
}

/** A connector of a single file, with its notes, may stand on another connector: MariaDB on MySQL. */
function isAliasFolder(tree: Tree, area: string): boolean {
  const files = [...tree.keys()].filter((file) => file.startsWith(`${area}/`) && !file.endsWith('.md'));
  return files.every((file) => file === `${area}/index.ts`);
}

/** Imports against the direction of DESIGN.md, as sentences. */
export function wrongDirections(tree: Tree): string[] {
  return allImports(tree).flatMap((found) => {
    const from = areaOf(found.file);
    return found.relative ? wrongFolder(tree, found, from) : wrongPackage(found, from);
  });
}

function wrongFolder(tree: Tree, { file, specifier, target }: Import, from: string): string[] {
  if (mayImport(from, areaOf(target), isAliasFolder(tree, from))) return [];
  return [`${file} imports ${specifier}: ${from} may not import ${areaOf(target)}`];
}

function wrongPackage({ file, specifier }: Import, from: string): string[] {
  if (PURE.test(from) && OUTWARD.test(specifier)) return [`${file} imports ${specifier}: ${from} is pure`];
  const refused = (reason: string) => [`${file} imports ${specifier}: ${reason}`];
  if (from === 'lib/core' && !/^(zod|croner|node:.*)$/.test(specifier))
    return refused('lib/core may use only zod and croner');
  const isCdk = /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/.test(specifier);
  if (isCdk && !['lib/infra', 'bin', 'test'].includes(from)) return refused('only lib/infra may use the CDK');
  const isAws = /^@(aws-sdk|smithy)\//.test(specifier);
  if (isAws && from === 'lib/adapters/embedded') return refused('the embedded home has no AWS SDK');
  return [];
}

/** Cycles between areas, each as `a -> b -> a`. */
export function folderCycles(tree: Tree): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { file, target, relative } of allImports(tree)) {
    const from = areaOf(file);
    if (relative && areaOf(target) !== from) edges.set(from, (edges.get(from) ?? new Set()).add(areaOf(target)));
  }
  const cycles = new Set<string>();
  const walked = new Set<string>();
  const walk = (area: string, way: readonly string[]): void => {
    const start = way.indexOf(area);
    if (start >= 0) cycles.add([...way.slice(start), area].join(' -> '));
    if (start >= 0 || walked.has(area)) return;
    for (const next of edges.get(area) ?? []) walk(next, [...way, area]);
    walked.add(area);
  };
  for (const area of edges.keys()) walk(area, []);
  return [...cycles];
}
