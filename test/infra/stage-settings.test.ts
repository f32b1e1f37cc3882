import { Fault } from '../../lib/core/fault';
import { checkConnectionBudget } from '../../lib/infra/connection-budget';
import { functionCode } from '../../lib/infra/function-code';
import { deployedTypes } from '../../lib/infra/stage-settings';
import { declaredExample, flags, settingsOf } from './synth';

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the settings of a stage', () => {
  it('have defaults, and leave the flags of the CDK alone', () => {
    expect(Object.keys(flags).length).toBeGreaterThan(80);
    expect(settingsOf({})).toMatchObject({
      stage: 'dev',
      destination: 'secret',
      workSeconds: 240,
      memory: 1024,
      maxConcurrency: 3,
      logRetentionDays: 30,
      production: false,
      emulated: false,
    });
  });

  it('are taken as text from the command line, and as JSON from cdk.json', () => {
    expect(settingsOf({ workSeconds: '0.5', emulated: 'true', memory: 512 })).toMatchObject({
      workSeconds: 0.5,
      emulated: true,
      memory: 512,
    });
  });

  it.each(['prod', 'production', 'prod-eu'])('know %s as a stage whose data is kept', (stage) => {
    expect(settingsOf({ stage })).toMatchObject({ production: true, logRetentionDays: 90 });
  });

  it.each([
    [{ stage: 'My Stage' }, 'stage: expected a-z'],
    [{ destination: 'mysql' }, 'destination: expected "secret" or "aurora"'],
    [{ destinaton: 'aurora' }, 'destinaton: is not known; did you mean "destination"?'],
    [{ workSeconds: '300' }, 'workSeconds: expected at most 270'],
    [{ workSeconds: '0' }, 'workSeconds: expected at least 0.05'],
    [{ workSeconds: 'long' }, 'workSeconds: expected a number'],
    [{ maxConcurrency: 1 }, 'maxConcurrency: expected at least 2'],
    [{ logRetentionDays: 31 }, 'logRetentionDays: expected one of 1, 3, 5'],
    [{ emulated: 'yes' }, 'emulated: expected true or false'],
    [{ jwtIssuer: 'https://login.example.com' }, 'jwtAudience: is needed beside jwtIssuer'],
    [{ jwtAudience: 'me' }, 'jwtIssuer: is needed beside jwtAudience'],
    [{ jwtIssuer: 'http://login.example.com', jwtAudience: 'me' }, 'jwtIssuer: expected an address'],
    [{ alertEmail: 'ops' }, 'alertEmail: expected an e-mail address'],
  ])('refuse %j', (context, message) => {
    const fault = faultOf(() => settingsOf(context));
    expect(fault).toMatchObject({ kind: 'config', code: 'invalid_context', hint: expect.stringContaining('cdk.json') });
    expect(fault.message).toContain(message);
  });

  it('say everything that is wrong at once', () => {
    expect(faultOf(() => settingsOf({ stage: '1', memory: 1 })).issues).toHaveLength(2);
  });
});

describe('the types of connectors', () => {
  const types = (connectors?: string | string[]) =>
    deployedTypes(settingsOf(connectors === undefined ? {} : { connectors }), ['mysql', 'postgresql', 'sqlite']);

  it('are all, or those that are named, as text or as JSON', () => {
    expect(types()).toEqual(['mysql', 'postgresql', 'sqlite']);
    expect(types('postgresql, mysql')).toEqual(['mysql', 'postgresql']);
    expect(types(['sqlite'])).toEqual(['sqlite']);
  });

  it('are known', () => {
    expect(faultOf(() => types('mysql,postgres')).message).toContain(
      '"postgres" is not known; did you mean "postgresql"?',
    );
  });
});

describe('the budget of connections', () => {
  const check = (context: Record<string, unknown>, connections = 4) =>
    checkConnectionBudget(settingsOf(context), ['postgresql'], [declaredExample({ connections })]);

  it('is kept by the defaults', () => {
    expect(() => check({})).not.toThrow();
  });

  it('of the destination is not exceeded by all functions together', () => {
    const fault = faultOf(() => check({ maxConcurrency: 50 }));
    expect(fault.message).toContain(
      'destinationConnections 90: 1 connectors × maxConcurrency 50 × 2 connections can be 100',
    );
    expect(() => check({ maxConcurrency: 50, destinationConnections: 100 })).not.toThrow();
  });

  it('of a source is not exceeded by one integration', () => {
    const fault = faultOf(() => check({}, 40));
    expect(fault.message).toContain('integrations/main.json: 2 workers × 42 connections can be 84');
    expect(() => check({ sourceConnections: 84 }, 40)).not.toThrow();
  });
});

it('functions that were not built are missed with the command that builds them', () => {
  expect(faultOf(() => functionCode(settingsOf({ functions: '/nowhere' }), 'api'))).toMatchObject({
    code: 'not_built',
    hint: expect.stringContaining('node build-functions.mjs'),
  });
});
