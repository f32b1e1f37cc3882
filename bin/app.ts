import { App } from 'aws-cdk-lib';
import { connectorTypes } from '../lib/connectors';
import { Fault } from '../lib/core/fault';
import { addStage } from '../lib/infra/stage';
import { deployedTypes, stageSettings } from '../lib/infra/stage-settings';
import { declaredFiles } from './declared-files';

const app = new App();
try {
  const settings = stageSettings(app.node.getAllContext());
  const types = deployedTypes(settings, connectorTypes);
  const { declared, warnings } = await declaredFiles(settings.integrations);
  for (const warning of warnings) console.warn(`warning: ${warning}`);
  addStage(app, { settings, types, declared });
} catch (error) {
  if (!(error instanceof Fault) || error.kind !== 'config') throw error;
  console.error(`error: ${error.message}\n${error.hint ?? ''}`);
  process.exit(1);
}
