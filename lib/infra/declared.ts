import type { IntegrationDocument } from '../core/integration';

/** An integration that was declared in a file, checked. */
export interface DeclaredIntegration {
  readonly file: string;
  readonly name: string;
  readonly type: string;
  readonly document: IntegrationDocument;
  /** The names in its `${NAME}`. */
  readonly secrets: readonly string[];
  readonly useVpn: boolean;
  /** Workers that one run of it has at the same time, and the connections that each of them opens at the source. */
  readonly parallel: number;
  readonly connections: number;
}

/** The declared integrations of one connector. */
export function declaredOf(type: string, declared: readonly DeclaredIntegration[]): readonly DeclaredIntegration[] {
  return declared.filter((integration) => integration.type === type);
}
