import { type App, Tags } from 'aws-cdk-lib';
import { checkConnectionBudget } from './connection-budget';
import type { DeclaredIntegration } from './declared';
import { stackName } from './env';
import { ServiceStack } from './service-stack';
import { invalidContext, type StageSettings } from './stage-settings';
import { StateStack } from './state-stack';

/** What one stage is to be made of. */
export interface StageProps {
  readonly settings: StageSettings;
  readonly types: readonly string[];
  readonly declared: readonly DeclaredIntegration[];
}

/**
 * The two stacks of a stage.
 * @throws Fault `config` for what cannot be deployed
 */
export function addStage(
  app: App,
  { settings, types, declared }: StageProps,
): { state: StateStack; service: ServiceStack } {
  checkTypes(types, declared);
  checkConnectionBudget(settings, types, declared);
  const vpn = declared.some(({ useVpn }) => useVpn);
  const state = new StateStack(app, stackName(settings.stage, 'State'), { settings, vpn });
  const service = new ServiceStack(app, stackName(settings.stage, 'Service'), { settings, state, types, declared });
  service.addStackDependency(state);
  Tags.of(app).add('explorerio:stage', settings.stage);
  return { state, service };
}

/** A declared integration needs the function of its type. */
function checkTypes(types: readonly string[], declared: readonly DeclaredIntegration[]): void {
  const issues = declared.flatMap(({ file, type }) =>
    types.includes(type) ? [] : [{ path: 'connectors', message: `${file} needs "${type}": add it to the list` }],
  );
  if (issues.length > 0) throw invalidContext(issues);
}
