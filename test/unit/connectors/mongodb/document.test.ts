import { loadConnector } from '../../../../lib/connectors';
import type { Fault } from '../../../../lib/core/fault';
import { checkDocument } from '../../../../lib/engine/document';
import { INTEGRATIONS } from '../../engine/specification';

describe("the specification's document of MongoDB", () => {
  const example = INTEGRATIONS.find(({ type }) => type === 'mongodb');

  it('is accepted but for the mode, which is refused by its path', async () => {
    const fault = (await checkDocument(example, loadConnector).catch((error: unknown) => error)) as Fault;
    expect(fault).toMatchObject({ kind: 'config', code: 'invalid_config', hint: expect.any(String) });
    expect(fault.issues).toEqual([
      { path: 'sync_settings.mode', message: 'mongodb offers full and incremental in this version' },
    ]);
  });

  it('is accepted as it is in the modes that are there', async () => {
    const document = { ...example, sync_settings: { mode: 'incremental' } };
    const { fields } = await checkDocument(document, loadConnector);
    expect(fields).toMatchObject({ name: 'user_profiles', type: 'mongodb' });
  });
});
