import { destinationTypes, loadDestination, openDestination } from '../lib/destinations';
import { destinationContract } from './contracts/destination';
import { postgresqlFixture, silent } from './destinations/postgresql';
import { postgresql } from './servers/postgresql';
import { describeWithServer } from './servers/require';

const runs: { readonly [type: string]: () => void } = {
  postgresql: () => {
    for (const version of [15, 18] as const) {
      describeWithServer(`destination contract on PostgreSQL ${version} (real)`, postgresql({ version }), (server) =>
        destinationContract(() => postgresqlFixture(server())),
      );
    }
  },
};

for (const type of destinationTypes) {
  const run = runs[type];
  if (run) run();
  else it(`${type} has a fixture`, () => expect(Object.keys(runs)).toContain(type));
}

describe('the registry', () => {
  it.each([...destinationTypes])('%s documents each field', async (type) => {
    const { config, title } = await loadDestination(type);
    expect(title).not.toBe('');
    expect(config.fields.filter(({ doc, path }) => doc === '' && !path.includes('.'))).toEqual([]);
  });

  it('names the type that was probably meant', async () => {
    await expect(loadDestination('postgresq')).rejects.toMatchObject({
      kind: 'config',
      hint: 'Did you mean "postgresql"?',
    });
    await expect(loadDestination('toString')).rejects.toMatchObject({ kind: 'config' });
  });

  it('refuses unknown and missing fields by name', async () => {
    const context = { integration: 'i', namespace: 'i', deletes: 'hard' } as const;
    const open = (config: unknown) => openDestination('postgresql', config, context, { log: silent });
    await expect(open({ url: 'postgresql://a@b/c', hots: 1 })).rejects.toMatchObject({
      code: 'invalid_config',
      issues: [{ path: 'hots' }],
    });
    await expect(open({})).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(open({ url: 'mysql://a@b/c' })).rejects.toMatchObject({ issues: [{ path: 'url' }] });
    await expect(open({ host: 'b', username: 'c' })).rejects.toMatchObject({ issues: [{ path: 'database' }] });
  });
});
