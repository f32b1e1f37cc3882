import { Fault } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import type { CredentialStore, Secrets } from '../core/ports';
import type { EnginePorts } from './ports';

/** Said of a document that names a file of credentials where none is read. */
export const NO_STORES =
  'no files of credentials are read here: remove the section and put the credentials into Secrets Manager under the names of the references';

/** Where the `${NAME}` of a document come from: the file that it names, or what the home has. @throws Fault `config` */
export function secretsOf(
  ports: Pick<EnginePorts, 'secrets' | 'credentialStores'>,
  document: IntegrationDocument,
): Secrets {
  const store = document.credential_store as CredentialStore | undefined;
  if (store === undefined) return ports.secrets;
  if (ports.credentialStores !== undefined) return ports.credentialStores.open(store);
  throw new Fault('config', 'no_credential_stores', `opening the credentials of ${document.name}: ${NO_STORES}`, {
    hint: 'Update the document without credential_store.',
  });
}

/** Everything of a document in which a `${NAME}` is looked for in its store: the store cannot hold its own key. */
export function withoutStore(document: IntegrationDocument): IntegrationDocument {
  const { credential_store: _, ...rest } = document;
  return rest;
}

/** What of a document a run resolves: the secret of its webhook is for those who answer calls, nobody else has to read it. */
export function readByRuns(document: IntegrationDocument): IntegrationDocument {
  const { webhook_config: _, ...rest } = withoutStore(document);
  return rest;
}
