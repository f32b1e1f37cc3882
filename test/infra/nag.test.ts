import { type Stack, Validations } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { buildStage, declaredExample, type TestStage } from './synth';

/** Synthesises a stage under cdk-nag, which throws for every finding that is not acknowledged. */
function check(stage: TestStage, change?: (stack: Stack) => void): void {
  const { app, stacks } = buildStage(stage, (made) => Validations.of(made).addPlugins(new AwsSolutionsChecks(made)));
  change?.(stacks.state);
  app.synth();
}

let validation: string | undefined;

beforeAll(() => {
  validation = process.env.CDK_VALIDATION;
  // Without the validation of the CDK there is none of cdk-nag either.
  process.env.CDK_VALIDATION = 'true';
});

afterAll(() => {
  process.env.CDK_VALIDATION = validation;
});

const manySecrets = () => Array.from({ length: 200 }, (_, index) => `A_SECRET_WITH_A_LONG_NAME_${index}`);
const types = ['postgresql', 'rest_api'];

const alerts = ["connection_status == 'failed'", 'error_rate > 0.05', "status == 'failed' and failed_runs > 2"];
const document = {
  name: 'main',
  type: 'postgresql',
  alerts: alerts.map((condition, index) => ({ name: `Alert ${index}`, condition, severity: 'warning' })),
};

it.each<[string, TestStage]>([
  ['a stage', { types, declared: [declaredExample()] }],
  ['a stage with alarms of integrations', { types, declared: [declaredExample({ document })] }],
  ['a production stage', { types, context: { stage: 'prod' } }],
  ['a stage with tokens', { types, context: { jwtIssuer: 'https://a.example.com', jwtAudience: 'b' } }],
  ['a stage with an Aurora', { types, context: { destination: 'aurora' } }],
  ['a production stage with an Aurora', { types, context: { stage: 'prod', destination: 'aurora' } }],
  ['a stage with a VPN', { types, declared: [declaredExample({ useVpn: true })] }],
  ['a role with more than one policy', { types, declared: [declaredExample({ secrets: manySecrets() })] }],
])('finds nothing in %s that is not explained', (_name, stage) => {
  expect(() => check(stage)).not.toThrow();
});

it('finds what is wrong', () => {
  expect(() => check({}, (stack) => new Queue(stack, 'Open'))).toThrow(/State\/Open[\s\S]*AwsSolutions-SQS4/);
});
