import { writeMetrics } from '../../functions/health/metrics';
import { metricLine } from '../../lib/adapters/aws/metrics';
import { STAGE_PARTS } from '../../lib/engine/cost';
import { document, Home, syncAll } from '../unit/engine/home';

interface Line {
  readonly [name: string]: unknown;
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

describe('metrics', () => {
  it('are lines of the embedded metric format: every dimension and metric that is named has a value', () => {
    const record = {
      dimensions: { Stage: 'dev', Integration: 'shop' },
      metrics: { LastSyncAge: { value: 5, unit: 'Seconds' } },
      properties: { rows: 7 },
    } as const;
    const line = JSON.parse(metricLine(record, 1000)) as Line;
    expect(line).toEqual({
      Stage: 'dev',
      Integration: 'shop',
      LastSyncAge: 5,
      rows: 7,
      _aws: {
        Timestamp: 1000,
        CloudWatchMetrics: [
          {
            Namespace: 'ExplorerIO',
            Dimensions: [['Stage', 'Integration']],
            Metrics: [{ Name: 'LastSyncAge', Unit: 'Seconds' }],
          },
        ],
      },
    });
  });

  it('tell the age of the last sync, and of the integration where there was none yet', async () => {
    const home = new Home();
    home.fill('orders', 3);
    const engine = home.engine();
    await engine.service.create(document());
    const lines: Line[] = [];
    const write = () =>
      writeMetrics(engine.service, 'dev', home.clock, (line) => void lines.push(JSON.parse(line) as Line));
    await home.clock.advance(7_200_000);
    await write();
    await syncAll(home, engine);
    await home.clock.advance(60_000);
    await write();
    expect(lines).toMatchObject([
      { Integration: 'shop', LastSyncAge: 7200, ConnectionFailed: 0, rows: 0 },
      { Integration: 'shop', LastSyncAge: 60, ConnectionFailed: 0, rows: 3, connector: 'memory' },
    ]);
    expect(lines[0]?._aws.CloudWatchMetrics[0]?.Metrics).toHaveLength(STAGE_PARTS.metricsPerIntegration);
  });
});
