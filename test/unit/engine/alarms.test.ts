import type { IntegrationDocument } from '../../../lib/core/integration';
import { document, faultFrom, Home } from './home';

const alerts = [{ name: 'Failure', condition: "connection_status == 'failed'", severity: 'critical' }];

describe('alarms', () => {
  const start = () => {
    const home = new Home();
    const calls: [string, ...string[]][] = [];
    home.alarms = {
      set: async ({ name }: IntegrationDocument) => void calls.push(['set', String(name)]),
      remove: async (integration) => void calls.push(['remove', integration]),
      reconcile: async (documents) => void calls.push(['reconcile', ...documents.map(({ name }) => String(name))]),
    };
    return { engine: home.engine(), calls };
  };

  it('follow what happens to an integration, and are looked after with the runs', async () => {
    const { engine, calls } = start();
    const { warnings } = await engine.service.create(document({ alerts }));
    expect(warnings).toEqual([]);
    await engine.service.create(document({ name: 'crm' }));
    await engine.service.update('shop', document({ alerts: [] }), undefined);
    await engine.service.remove('crm', { data: false });
    await engine.recover();
    expect(calls).toEqual([
      ['set', 'shop'],
      ['set', 'crm'],
      ['set', 'shop'],
      ['remove', 'crm'],
      ['reconcile', 'shop'],
    ]);
  });

  it('are not touched by a document with a wrong condition, which is not stored', async () => {
    const { engine, calls } = start();
    const wrong = [{ ...alerts[0], condition: "connection_status == 'faild'" }];
    const fault = await faultFrom(engine.service.create(document({ alerts: wrong })));
    expect(fault.issues).toEqual([{ path: 'alerts[0].condition', message: expect.stringContaining("'failed'") }]);
    expect(await engine.service.list()).toEqual([]);
    expect(calls).toEqual([]);
  });
});
