import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Files by their path from the project's folder, with `/`. */
export type Tree = ReadonlyMap<string, string>;

const CODE = /\.(ts|mjs)$/;

/** Reads all files of the given folders. Folders that are not there are empty. */
export function readTree(root: string, folders: readonly string[]): Tree {
  const tree = new Map<string, string>();
  for (const folder of folders) {
    for (const file of filesIn(root, folder)) tree.set(file, readFileSync(join(root, file), 'utf8'));
  }
  return tree;
}

function filesIn(root: string, folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .map((path) => path.slice(root.length).replaceAll('\\', '/').replace(/^\/+/, ''));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The code files of a tree, sorted. */
export function codeFiles(tree: Tree, under = ''): string[] {
  return [...tree.keys()].filter((file) => CODE.test(file) && file.startsWith(under)).sort();
}

/** One import: `target` is a file of the tree without extension for a relative one, else the package's specifier. */
export interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly target: string;
  readonly relative: boolean;
}

const STATIC = /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm;
const FOR_EFFECT = /^[ \t]*import\s*['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** Every import of a file: static, type-only, re-exporting, for its effect, and dynamic. */
export function importsOf(file: string, text: string): Import[] {
  return [STATIC, FOR_EFFECT, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, specifier = '']) => {
      const relative = specifier.startsWith('.');
      const target = relative ? posix.normalize(posix.join(posix.dirname(file), specifier)) : specifier;
      return { file, specifier, target, relative };
    }),
  );
}

/** The imports of all code files. */
export function allImports(tree: Tree): Import[] {
  return codeFiles(tree).flatMap((file) => importsOf(file, tree.get(file) ?? ''));
}
