import { codeFiles, type Tree } from './tree';

export const LONGEST_FILE = 400;
export const LONGEST_MEDIAN = 100;

function linesOf(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Code files with more than {@link LONGEST_FILE} lines. */
export function longFiles(tree: Tree): string[] {
  return codeFiles(tree)
    .map((file) => ({ file, lines: linesOf(tree.get(file) ?? '') }))
    .filter(({ lines }) => lines > LONGEST_FILE)
    .map(({ file, lines }) => `${file} has ${lines} lines; split it by what it does (at most ${LONGEST_FILE})`);
}

/** The median of the lines of all code files under `folder`; 0 when there are none. */
export function medianLines(tree: Tree, folder: string): number {
  const lines = codeFiles(tree, folder).map((file) => linesOf(tree.get(file) ?? ''));
  lines.sort((left, right) => left - right);
  const middle = lines.length / 2;
  return ((lines[Math.ceil(middle) - 1] ?? 0) + (lines[Math.floor(middle)] ?? lines[0] ?? 0)) / 2;
}

/** Lines that match `pattern`, in code files under `folder`, as `file:line`. */
export function linesLike(tree: Tree, folder: string, pattern: RegExp): string[] {
  return codeFiles(tree, folder).flatMap((file) =>
    (tree.get(file) ?? '')
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

export const DEFAULT_EXPORT = /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bas\s+default\b/;
// Put together, so that this file is not found by its own rule.
export const UNFINISHED = new RegExp(
  `\\b(${['TO', 'FIX'].map((start, index) => start + ['DO', 'ME'][index]).join('|')})\\b`,
);

const EXPORT =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|function\*?|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)/;

/** Exported names under `folder` that have no doc comment directly above. Overloads after the first need none. */
export function undocumentedExports(tree: Tree, folder: string): string[] {
  return codeFiles(tree, folder).flatMap((file) => {
    const lines = (tree.get(file) ?? '').split('\n');
    const seen = new Set<string>();
    return lines.flatMap((line, index) => {
      const name = EXPORT.exec(line)?.[1];
      if (name === undefined || seen.has(name)) return [];
      seen.add(name);
      const documented = (lines[index - 1] ?? '').trimEnd().endsWith('*/');
      return documented ? [] : [`${file}: ${name} has no doc comment`];
    });
  });
}

/** Dependencies of a package.json that are not pinned to one exact version. */
export function loosePins(packageJson: string): string[] {
  const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = JSON.parse(packageJson) as Pins;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} is ${version}; pin one exact version`);
}

interface Pins {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}
