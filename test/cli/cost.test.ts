import { restingCost } from '../../lib/engine/cost';
import { commandLine, connectionTo } from './command-line';
import { integration, run } from './records';

describe('cost', () => {
  it('shows what a stage costs at rest and what the runs cost, from its own counts', async () => {
    const shop = integration('shop');
    const alerts = [
      { name: 'one metric', condition: "status == 'failed'", severity: 'warning' },
      { name: 'two metrics', condition: 'error_rate > 0.05', severity: 'warning' },
    ];
    const connection = connectionTo({
      connectors: async () => [{ type: 'postgresql', title: 'PostgreSQL', modes: ['full'], schema: {} }],
      list: async () => [{ ...shop, document: { ...shop.document, alerts } }, integration('crm')],
      runs: async (id) => (id === 'shop' ? [run('r1', 'succeeded'), run('r2', 'succeeded')] : []),
    });
    const { code, out } = await commandLine(['cost', '--json'], { connection });
    expect(code).toBe(0);
    const found = JSON.parse(out);
    expect(found.runs).toEqual([
      { integration: 'shop', runs: 2, usd: 0.0002 },
      { integration: 'crm', runs: 0, usd: 0 },
    ]);
    const sum = restingCost(1, 2, 3).reduce((total, { usd }) => total + usd, 0);
    expect(found.resting_usd_a_month).toBeCloseTo(sum);
    const { out: text } = await commandLine(['cost'], { connection });
    expect(text).toMatch(/At rest: \$\d+\.\d\d a month \(an estimate, list prices of \d{4}-\d\d\)/);
  });
});
