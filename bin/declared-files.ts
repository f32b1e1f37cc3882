import { existsSync, readdirSync } from 'node:fs';
import { loadConnector } from '../lib/connectors';
import { invalidConfig } from '../lib/core/config';
import type { FieldIssue } from '../lib/core/fault';
import type { IntegrationDocument } from '../lib/core/integration';
import { readByRuns } from '../lib/engine/credential-store';
import { checkDocument } from '../lib/engine/document';
import { maskSecrets } from '../lib/engine/masking';
import { DEFAULT_OPTIONS } from '../lib/engine/ports';
import { referencedNames, walk } from '../lib/engine/resolve';
import type { DeclaredIntegration } from '../lib/infra/declared';
import { checkPipeline } from '../lib/pipeline/compile';
import { checkFiles, type DocumentFile, problemsFault } from './document-files';

const REFERENCE = /\$?\$\{[A-Za-z_][A-Za-z0-9_]*\}/g;
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^:@/?#\s]*:.+@/i;

/** What a run opens where its document does not say; as the connectors. */
const DEFAULT_CONNECTIONS = 4;

/** What was found in the folder, and what its owner should know. */
export interface DeclaredFiles {
  readonly declared: readonly DeclaredIntegration[];
  readonly warnings: readonly string[];
}

/**
 * The integrations that are declared in a folder, checked as the API checks them; none where there is no such folder.
 * @throws Fault `config`/`invalid_config` that names every wrong field of every file
 */
export async function declaredFiles(folder: string): Promise<DeclaredFiles> {
  if (!existsSync(folder) || !readdirSync(folder).some((name) => name.endsWith('.json'))) {
    return { declared: [], warnings: [] };
  }
  const { documents, problems } = await checkFiles([folder], validate);
  if (problems.length > 0) throw problemsFault(problems);
  return {
    declared: documents.map(declare),
    warnings: documents.flatMap(({ file, warnings }) => warnings.map((text) => `${file}: ${text}`)),
  };
}

async function validate(document: IntegrationDocument): Promise<readonly string[]> {
  const { connector, warnings } = await checkDocument(document, loadConnector, { alarms: true, checkPipeline });
  const issues = writtenSecrets(document, maskSecrets(document, connector));
  if (issues.length > 0) throw invalidConfig(issues);
  return warnings;
}

/** Files are in version control, and go into the code of functions: no place for a secret. */
function writtenSecrets(document: IntegrationDocument, shown: IntegrationDocument): FieldIssue[] {
  const visible = new Map<string, string>();
  walk(shown, '', (text, path) => {
    visible.set(path, text);
    return text;
  });
  const issues: FieldIssue[] = [];
  walk(document, '', (text, path) => {
    if (visible.get(path) !== text && !isReferring(text)) {
      issues.push({
        path,
        message: 'a secret must not stand in a file; put it into Secrets Manager and write "${NAME}"',
      });
    }
    return text;
  });
  return issues;
}

/** Whether what is secret in a text is a reference. */
function isReferring(text: string): boolean {
  const rest = text.replaceAll(REFERENCE, '');
  return rest !== text && !URL_PASSWORD.test(rest);
}

function declare({ file, name, document }: DocumentFile): DeclaredIntegration {
  const section = (key: string) => (document[key] ?? {}) as { readonly [key: string]: unknown };
  const { parallel = DEFAULT_OPTIONS.parallel } = section('sync_settings');
  return {
    file,
    name,
    type: String(document.type),
    document,
    secrets: [...referencedNames(readByRuns(document))].sort(),
    useVpn: section('network_security').use_vpn === true,
    parallel: Number(parallel),
    connections: Number(section('connection').max_connections ?? DEFAULT_CONNECTIONS),
  };
}
