import type { Template } from 'aws-cdk-lib/assertions';
import { rendered } from './rendered';
import { declaredExample, type Resource, resourcesOf, templatesOf } from './synth';

/** As many connectors as there will be. */
const TYPES = [
  'amazon_s3',
  'cassandra',
  'couchdb',
  'elasticsearch',
  'google_bigquery',
  'google_cloud_storage',
  'graphql',
  'kafka',
  'mongodb',
  'mysql',
  'oracle',
  'postgresql',
  'rabbitmq',
  'redis',
  'rest_api',
  'sftp',
  'sqlite',
  'sqlserver',
];
const ENVIRONMENT_BYTES = 4096;
const LARGE = { stage: 'a-long-name-of-stage', destinationConnections: 1000, sourceConnections: 10_000 };

describe('a stage with every connector', () => {
  const declared = TYPES.map((type) => declaredExample({ name: type, type, useVpn: true, secrets: [] }));
  const { service } = templatesOf({ context: LARGE, types: TYPES, declared });
  const functions = resourcesOf(service, 'AWS::Lambda::Function');

  it('has a function for each', () => expect(functions).toHaveLength(TYPES.length + 2));

  it.each(functions.map(([id, { Properties }]) => [id, Properties] as const))(
    'tells %s no more than the 4 KB that Lambda takes',
    (_id, { Environment }) => {
      const sizes = Object.entries(Environment.Variables).map(
        ([name, value]) => [name, name.length + rendered(service, value).length] as const,
      );
      const total = sizes.reduce((sum, [, size]) => sum + size, 0);
      const report = `${total} bytes: ${sizes.map(([name, size]) => `${name} ${size}`).join(', ')}`;
      // The report says which variable is too long.
      expect([total < ENVIRONMENT_BYTES, report]).toEqual([true, report]);
    },
  );

  it('names every queue, all but one without its address', () => {
    const [, health] = functions.find(([id]) => id.startsWith('HealthFunction')) ?? [];
    const text = rendered(service, health?.Properties.Environment.Variables.EXPLORERIO_QUEUES);
    const queues = JSON.parse(text) as { readonly [type: string]: string };
    expect(Object.keys(queues)).toEqual(TYPES);
    expect(Object.values(queues).filter((url) => url.startsWith('https://'))).toHaveLength(1);
  });
});

const OWN_POLICIES = 10_240;
const MANAGED_POLICY = 6144;

/** How long a policy is for IAM, which does not count white space. */
const sizeOf = (template: Template, { Properties }: Resource) =>
  JSON.stringify(everyRendered(template, Properties.PolicyDocument)).length;

function everyRendered(template: Template, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => everyRendered(template, item));
  if (typeof value !== 'object' || value === null) return value;
  const [name = ''] = Object.keys(value);
  if (name === 'Ref' || name.startsWith('Fn::')) return rendered(template, value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, everyRendered(template, item)]));
}

describe('the policies of a role', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `A_SECRET_WITH_A_LONG_NAME_${index}`);
  const having = (count: number, types: readonly string[] = ['postgresql']) =>
    templatesOf({ context: LARGE, types, declared: [declaredExample({ secrets: names(count) })] }).service;

  it.each([0, 1, 30, 300])('have room for %d declared secrets, each of which is named once', (count) => {
    const service = having(count, TYPES);
    for (const [id, policy] of resourcesOf(service, 'AWS::IAM::Policy')) {
      expect([id, sizeOf(service, policy) < OWN_POLICIES]).toEqual([id, true]);
    }
    // Where a role's own policy is full the CDK goes on in managed ones.
    const managed = resourcesOf(service, 'AWS::IAM::ManagedPolicy');
    for (const [id, policy] of managed) expect([id, sizeOf(service, policy) < MANAGED_POLICY]).toEqual([id, true]);
    const all = JSON.stringify(service.toJSON());
    const found = [...all.matchAll(/A_SECRET_WITH_A_LONG_NAME_(\d+)-\?{6}/g)].map(([, index]) => Number(index));
    expect(found.sort((a, b) => a - b)).toEqual(names(count).map((_, index) => index));
    const sids = [...all.matchAll(/"Sid":"(DeclaredSecrets\d*)"/g)].map(([, sid]) => sid);
    expect(new Set(sids).size).toBe(sids.length);
    const ofOthers = managed.filter(
      ([, { Properties }]) => !/SyncRole|HealthFunctionRole/.test(Properties.Roles[0].Ref),
    );
    expect(ofOthers).toEqual([]);
  });

  it('refuse more secrets than they have room for, and say what to do', () => {
    expect(() => having(600)).toThrow(
      expect.objectContaining({
        kind: 'config',
        code: 'too_many_secrets',
        message: expect.stringMatching(/^planning the role of postgresql: its declared integrations name 600 secrets/),
        hint: expect.stringContaining('the tag explorerio:postgresql = true'),
      }),
    );
  });
});
