import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonMistake } from '../lib/api/json-text';
import { Fault } from '../lib/core/fault';
import type { IntegrationDocument } from '../lib/core/integration';

/** An integration that was read from a file. */
export interface DocumentFile {
  readonly file: string;
  readonly name: string;
  readonly document: IntegrationDocument;
  readonly warnings: readonly string[];
}

/** What is wrong with a file. `path` is the field (`connection.port`), or `line:column` where it is no JSON. */
export interface FileProblem {
  readonly file: string;
  readonly path: string;
  readonly message: string;
}

/** What was found in some files. */
export interface CheckedFiles {
  readonly documents: readonly DocumentFile[];
  readonly problems: readonly FileProblem[];
}

/** Gives a document's warnings, or throws a fault that names what is wrong. */
export type Validate = (document: IntegrationDocument) => Promise<readonly string[]>;

/** Reads the files, and the `*.json` of the folders, and checks every one of them. */
export async function checkFiles(paths: readonly string[], validate: Validate): Promise<CheckedFiles> {
  const documents: DocumentFile[] = [];
  const problems: FileProblem[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path, problems)) {
      const document = await readDocument(file, problems);
      if (document !== undefined) await check(file, document, validate, documents, problems);
    }
  }
  return { documents, problems };
}

async function filesOf(path: string, problems: FileProblem[]): Promise<string[]> {
  const found = await attempt(path, problems, () => stat(path));
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const names = (await attempt(path, problems, () => readdir(path))) ?? [];
  const files = names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  if (files.length === 0) problems.push({ file: path, path: '', message: 'the folder has no *.json file' });
  return files.map((name) => join(path, name));
}

async function readDocument(file: string, problems: FileProblem[]): Promise<IntegrationDocument | undefined> {
  const bytes = await attempt(file, problems, () => readFile(file));
  if (bytes === undefined) return undefined;
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const mistake = jsonMistake(text);
  if (mistake !== undefined) {
    problems.push({ file, path: `${mistake.line}:${mistake.column}`, message: `not JSON: ${mistake.reason}` });
    return undefined;
  }
  return JSON.parse(text) as IntegrationDocument;
}

async function check(
  file: string,
  document: IntegrationDocument,
  validate: Validate,
  documents: DocumentFile[],
  problems: FileProblem[],
): Promise<void> {
  try {
    const warnings = await validate(document);
    const name = String(document.name);
    const other = documents.find((one) => one.name === name);
    if (other === undefined) documents.push({ file, name, document, warnings });
    else problems.push({ file, path: 'name', message: `"${name}" is also the name in ${other.file}` });
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'config') throw error;
    const issues = error.issues ?? [{ path: '', message: error.message }];
    problems.push(...issues.map(({ path, message }) => ({ file, path, message })));
  }
}

const READ_ERRORS: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
};

async function attempt<T>(file: string, problems: FileProblem[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    problems.push({ file, path: '', message: READ_ERRORS[code] ?? `it cannot be read (${code || String(error)})` });
    return undefined;
  }
}

/** `file: path: message`, a line a problem. */
export function problemLine({ file, path, message }: FileProblem): string {
  const place = /^\d+:\d+$/.test(path) ? `${file}:${path}` : path === '' ? file : `${file}: ${path}`;
  return `${place}: ${message}`;
}

/** The fault for files that cannot be used. */
export function problemsFault(problems: readonly FileProblem[]): Fault {
  const issues = problems.map(({ file, path, message }) => ({
    path: problemLine({ file, path, message: '' }).slice(0, -2),
    message,
  }));
  return new Fault('config', 'invalid_config', `reading the files: ${problems.map(problemLine).join('; ')}`, {
    hint: 'Correct the named places and try again. Nothing was changed.',
    issues,
  });
}
