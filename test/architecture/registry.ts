import type { Tree } from './tree';

/** Where the things that belong to one registered type are. `fixture` is absent where there is none per type. */
export interface RegistryRule {
  readonly folder: 'connectors' | 'destinations';
  readonly hasFixture: boolean;
}

// postgresql: () => import('./postgresql'), with anything around the import on the same line
const ENTRY = /^\s*['"]?([a-z][a-z0-9_]*)['"]?\s*:.*\bimport\(\s*['"]\.\/([\w-]+)(?:\/[\w-]+)?['"]\s*\)/;

/** The types of a registry in order, each with the folder that its line imports. */
export function registryEntries(text: string): { readonly type: string; readonly folder: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, type, folder] = ENTRY.exec(line) ?? [];
    return type !== undefined && folder !== undefined ? [{ type, folder }] : [];
  });
}

/** Where one line, one folder, one fixture and one page do not belong together, as sentences. */
export function registryFaults(tree: Tree, { folder, hasFixture }: RegistryRule): string[] {
  const registry = `lib/${folder}/index.ts`;
  const text = tree.get(registry);
  const types = new Set<string>();
  const faults: string[] = [];
  for (const entry of registryEntries(text ?? '')) {
    if (types.has(entry.type)) faults.push(`${registry} has two lines for ${entry.type}`);
    if (entry.folder !== entry.type) faults.push(`${registry}: ${entry.type} imports ./${entry.folder}`);
    types.add(entry.type);
  }
  const dynamic = text?.match(/\bimport\(/g)?.length ?? 0;
  if (dynamic !== registryEntries(text ?? '').length) faults.push(`${registry}: an import is not one line of one type`);
  if (text !== undefined && types.size === 0)
    faults.push(`${registry} has no line of the form type: () => import('./type')`);
  const places: [string, Set<string>][] = [
    [`lib/${folder}/TYPE/`, foldersIn(tree, `lib/${folder}/`)],
    [`docs/${folder}/TYPE.md`, filesIn(tree, `docs/${folder}/`, '.md')],
  ];
  if (hasFixture) places.push([`test/${folder}/TYPE.ts`, filesIn(tree, `test/${folder}/`, '.ts')]);
  // Folders and pages may come in any order while there is no registry at all.
  return text === undefined
    ? []
    : [...faults, ...places.flatMap(([place, found]) => compare(registry, types, place, found))];
}

function compare(registry: string, types: ReadonlySet<string>, place: string, found: ReadonlySet<string>): string[] {
  const at = (type: string) => place.replace('TYPE', type);
  const missing = [...types].filter((type) => !found.has(type));
  const extra = [...found].filter((type) => !types.has(type));
  return [
    ...missing.map((type) => `${registry} names ${type}, but there is no ${at(type)}`),
    ...extra.map((type) => `there is ${at(type)}, but ${registry} has no line for it`),
  ];
}

function foldersIn(tree: Tree, prefix: string): Set<string> {
  const inside = [...tree.keys()].filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length));
  const names = inside.filter((path) => path.includes('/')).map((path) => path.slice(0, path.indexOf('/')));
  return new Set(names.filter((name) => name !== 'shared'));
}

function filesIn(tree: Tree, prefix: string, extension: string): Set<string> {
  return new Set(
    [...tree.keys()]
      .filter((file) => file.startsWith(prefix) && file.endsWith(extension))
      .map((file) => file.slice(prefix.length, -extension.length))
      .filter((name) => !name.includes('/') && !name.endsWith('.test') && name !== 'index' && name !== 'README'),
  );
}
