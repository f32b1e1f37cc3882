import { loadConnector } from '../lib/connectors';
import { Fault } from '../lib/core/fault';
import type { IntegrationDocument } from '../lib/core/integration';
import { Redactor } from '../lib/core/secret';
import { secretsOf, withoutStore } from '../lib/engine/credential-store';
import { checkDocument } from '../lib/engine/document';
import { channelWarnings } from '../lib/engine/notify/notifications';
import { resolveReferences } from '../lib/engine/resolve';
import { alertEvaluator } from '../lib/health/evaluate';
import { checkPipeline } from '../lib/pipeline/compile';
import type { Call } from './cli';
import { openCredentials } from './credentials-home';
import { checkFiles, problemLine } from './document-files';
import { ExitCode } from './exit-codes';
import { environmentChannels } from './notify-channels';
import { plain } from './output/format';

/** Checks the files and shows every error in them. */
export async function validate({ cli, args, options, printer }: Call<unknown>): Promise<number> {
  const redactor = new Redactor();
  const warn = (message: string) => printer.note(`warning: ${message}`);
  const { secrets, stores } = openCredentials({ dataFolder: options.data, env: cli.env, redactor, warn });
  const home = { secrets, credentialStores: stores };
  const channels = environmentChannels(cli.env, redactor);
  const { documents, problems } = await checkFiles(args, async (document) => {
    const abilities = { checkPipeline, evaluator: alertEvaluator, notifications: channels, ...home };
    const { fields, warnings } = await checkDocument(document, loadConnector, abilities);
    const unheard = await channelWarnings(fields, channels);
    return [...warnings, ...unheard, ...(await unsetReferences(document, home, redactor))];
  });
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
async function unsetReferences(
  document: IntegrationDocument,
  home: Parameters<typeof secretsOf>[0],
  redactor: Redactor,
): Promise<string[]> {
  try {
    await resolveReferences(withoutStore(document), secretsOf(home, document), redactor);
    return [];
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'config') throw error;
    return error.issues?.map(({ path, message }) => `${path}: ${message}`) ?? [error.message];
  }
}
