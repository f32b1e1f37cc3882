/** Tells whether a name is chosen by globs (`*`, `?`); those that begin with `!` exclude and win. */
export function globFilter(globs: readonly string[]): (...names: readonly string[]) => boolean {
  const excluded = globs.filter((glob) => glob.startsWith('!')).map((glob) => globPattern(glob.slice(1)));
  const included = globs.filter((glob) => !glob.startsWith('!')).map(globPattern);
  return (...names) => !matches(excluded, names) && (included.length === 0 || matches(included, names));
}

function matches(patterns: readonly RegExp[], names: readonly string[]): boolean {
  return patterns.some((pattern) => names.some((name) => pattern.test(name)));
}

function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
}
