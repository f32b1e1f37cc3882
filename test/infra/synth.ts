import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { DeclaredIntegration } from '../../lib/infra/declared';
import { addStage } from '../../lib/infra/stage';
import { type StageSettings, stageSettings } from '../../lib/infra/stage-settings';

export const root = fileURLToPath(new URL('../..', import.meta.url));

// The validator of the CDK takes longer than everything else; `npx cdk synth` runs it.
process.env.CDK_VALIDATION = 'false';

/** The flags that decide what the CDK makes of the same code. */
export const flags = (
  JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { readonly context: Record<string, unknown> }
).context;

export function settingsOf(context: Record<string, unknown>): StageSettings {
  return stageSettings({ ...flags, ...context });
}

/** A temporary folder with a function of each name, as build-functions.mjs leaves it. */
export function functionsFolder(parent: string, names: readonly string[]): string {
  const path = join(parent, 'functions');
  for (const name of names) {
    mkdirSync(join(path, name), { recursive: true });
    writeFileSync(join(path, name, 'index.cjs'), `exports.handler = async () => ${JSON.stringify(name)};\n`);
  }
  return path;
}

/** A declared integration as `declaredFiles` makes it. */
export function declaredExample(change: Partial<DeclaredIntegration> = {}): DeclaredIntegration {
  const { name = 'main', type = 'postgresql' } = change;
  return {
    file: 'integrations/main.json',
    name,
    type,
    document: { name, type, sync_settings: { schedule: '0 0 13 * 5', time_zone: 'Europe/Berlin' } },
    secrets: ['DB_PASSWORD'],
    useVpn: false,
    parallel: 2,
    connections: 4,
    ...change,
  };
}

/** What a stage is made of in a test. */
export interface TestStage {
  readonly context?: Record<string, unknown>;
  readonly types?: readonly string[];
  readonly declared?: readonly DeclaredIntegration[];
}

/** Builds the two stacks of a stage in a folder of their own; `prepare` sees the app before anything is in it. */
export function buildStage(
  { context = {}, types = ['postgresql'], declared = [] }: TestStage,
  prepare?: (app: App) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-cdk-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const functions = functionsFolder(folder, ['api', 'health', ...types.map((type) => `sync-${type}`)]);
  const app = new App({ context: flags, outdir: join(folder, 'out') });
  prepare?.(app);
  const stacks = addStage(app, { settings: settingsOf({ functions, ...context }), types, declared });
  return { app, stacks };
}

/** The templates of a stage. */
export function templatesOf(stage: TestStage): { readonly state: Template; readonly service: Template } {
  const { stacks } = buildStage(stage);
  return { state: Template.fromStack(stacks.state), service: Template.fromStack(stacks.service) };
}

/** A resource of a template, as far as tests look into it. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs by type, and a wrong guess fails the test
  readonly Properties: any;
  readonly DeletionPolicy?: string;
}

/** Resources by their logical id, of one type or of all. */
export function resourcesOf(template: Template, type?: string): [string, Resource][] {
  const all = Object.entries((template.toJSON() as { readonly Resources: Record<string, Resource> }).Resources);
  return all.filter(([, resource]) => type === undefined || resource.Type === type);
}

/** A statement of a policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

/** What the role whose logical id begins with `prefix` may do, beside writing logs. */
export function statementsOf(template: Template, prefix: string): readonly Statement[] {
  const policies = resourcesOf(template, 'AWS::IAM::Policy').filter(([id]) => id.startsWith(prefix));
  if (policies.length !== 1) throw new Error(`${policies.length} policies begin with ${prefix}`);
  return policies.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Statement[]);
}

/** The statement of a role with a Sid. */
export function statementOf(template: Template, prefix: string, sid: string): Statement {
  const found = statementsOf(template, prefix).find(({ Sid }) => Sid === sid);
  if (found === undefined) throw new Error(`${prefix} has no statement ${sid}`);
  return found;
}
