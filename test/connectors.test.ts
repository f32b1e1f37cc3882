import { connectorTypes, loadConnector } from '../lib/connectors';
import { sourceContract } from './contracts/source';
import type { SourceFixture } from './contracts/source-reading';

for (const type of connectorTypes) {
  const connector = await loadConnector(type);
  const { fixtures } = (await import(`./connectors/${type}`)) as { fixtures: readonly SourceFixture[] };
  describe(`connector ${type}`, () => {
    for (const fixture of fixtures) sourceContract(connector, fixture);
  });
}

describe('registry', () => {
  it('gives each connector under its own type', async () => {
    for (const type of connectorTypes) expect((await loadConnector(type)).type).toBe(type);
  });

  it('suggests a type for a wrong one', async () => {
    await expect(loadConnector('postgres')).rejects.toMatchObject({
      kind: 'config',
      code: 'unknown_type',
      message: expect.stringContaining('"postgresql"'),
      issues: [{ path: 'type', message: expect.any(String) }],
    });
    await expect(loadConnector('toString')).rejects.toMatchObject({ code: 'unknown_type' });
  });
});
