import { loadConnector } from '../../../../lib/connectors';
import { checkDocument } from '../../../../lib/engine/document';
import { INTEGRATIONS } from '../../engine/specification';

describe("the specification's document of MongoDB", () => {
  const example = INTEGRATIONS.find(({ type }) => type === 'mongodb');

  it('is accepted as it stands, to follow change streams', async () => {
    const { fields, warnings } = await checkDocument(example, loadConnector);
    expect(fields.sync_settings).toEqual({ mode: 'real_time', change_streams: true });
    expect(warnings).toEqual([]);
  });

  it('is accepted with another mode', async () => {
    const document = { ...example, sync_settings: { mode: 'incremental' } };
    const { fields } = await checkDocument(document, loadConnector);
    expect(fields).toMatchObject({ name: 'user_profiles', type: 'mongodb' });
  });
});
