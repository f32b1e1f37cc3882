import { EnvironmentSecrets } from '../lib/adapters/embedded/secrets';
import { loadConnector } from '../lib/connectors';
import { Fault } from '../lib/core/fault';
import type { IntegrationDocument } from '../lib/core/integration';
import { Redactor } from '../lib/core/secret';
import { checkDocument } from '../lib/engine/document';
import { resolveReferences } from '../lib/engine/resolve';
import type { Call } from './cli';
import { checkFiles, problemLine } from './document-files';
import { ExitCode } from './exit-codes';
import { plain } from './output/format';

/** Checks the files and shows every error in them. */
export async function validate({ cli, args, printer }: Call<unknown>): Promise<number> {
  const secrets = new EnvironmentSecrets([process.cwd()], cli.env);
  const { documents, problems } = await checkFiles(args, async (document) => [
    ...(await checkDocument(document, loadConnector)).warnings,
    ...(await unsetReferences(document, secrets)),
  ]);
  const valid = documents.map(({ file, name, warnings }) => ({ file, name, warnings }));
  printer.result({ valid: problems.length === 0, documents: valid, problems }, () =>
    [
      ...problems.map((problem) => `error: ${plain(problemLine(problem))}`),
      ...documents.flatMap(({ file, warnings }) => warnings.map((text) => `warning: ${file}: ${plain(text)}`)),
      ...documents.map(({ file, name }) => `${file}: ${name} is right`),
    ].join('\n'),
  );
  return problems.length === 0 ? ExitCode.Ok : ExitCode.Usage;
}

/** The server may have other secrets than this shell, so that one that is not set here is no error. */
async function unsetReferences(document: IntegrationDocument, secrets: EnvironmentSecrets): Promise<string[]> {
  try {
    await resolveReferences(document, secrets, new Redactor());
    return [];
  } catch (error) {
    if (!(error instanceof Fault) || error.issues === undefined) throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
}
