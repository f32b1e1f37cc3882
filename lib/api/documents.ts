import { invalidConfig } from '../core/config';
import { type IntegrationDocument, RESERVED_NAMES } from '../core/integration';

/** Refuses a document whose name is a path of the API. */
export function refuseReservedName(document: IntegrationDocument): void {
  const { name } = document;
  if (typeof name !== 'string' || !RESERVED_NAMES.includes(name)) return;
  const message = `"${name}" is reserved: /api/integrations/${name} is a path of the API; choose another name`;
  throw invalidConfig([{ path: 'name', message }]);
}

/** Refuses a document that would give the integration another name. */
export function refuseOtherName(document: IntegrationDocument, id: string): void {
  if (document.name === undefined || document.name === id) return;
  throw invalidConfig([{ path: 'name', message: `must be "${id}", as in the URL: an integration keeps its name` }]);
}
