import { createHash } from 'node:crypto';
import {
  type CloudWatchClient,
  DeleteAlarmsCommand,
  type MetricAlarm,
  PutMetricAlarmCommand,
  paginateDescribeAlarms,
  ResourceNotFound,
} from '@aws-sdk/client-cloudwatch';
import { guarded } from '../../core/fault';
import type { IntegrationDocument } from '../../core/integration';
import { canonicalJson, type Json } from '../../core/json';
import type { Alarms } from '../../core/ports';
import { type AlarmSpec, type AlarmTarget, alarmNames } from './alarm-spec';
import { classifyAws } from './faults';
import { planAlarms } from './integration-plan';

/** What the alarms need to know of the stage. */
export interface CloudWatchAlarmsOptions extends AlarmTarget {
  readonly client: CloudWatchClient;
}

const DELETED_AT_ONCE = 100;

/** The alarms of a stage's integrations in CloudWatch; what is as it should be is not written again. */
export class CloudWatchAlarms implements Alarms {
  readonly #options: CloudWatchAlarmsOptions;

  constructor(options: CloudWatchAlarmsOptions) {
    this.#options = options;
  }

  async set(document: IntegrationDocument): Promise<void> {
    const integration = String(document.name);
    const specs = planAlarms(document, this.#options);
    await guarded(`making the alarms of ${integration}`, classifyAws, () =>
      this.#apply(alarmNames(this.#options, integration), specs),
    );
  }

  async remove(integration: string): Promise<void> {
    await guarded(`removing the alarms of ${integration}`, classifyAws, () =>
      this.#apply(alarmNames(this.#options, integration), []),
    );
  }

  async reconcile(documents: readonly IntegrationDocument[]): Promise<void> {
    const specs = documents.flatMap((document) => planAlarms(document, this.#options));
    await guarded('making the alarms of all integrations', classifyAws, () => this.#apply(this.#options.prefix, specs));
  }

  /** Makes the alarms whose names begin with `prefix` just these. */
  async #apply(prefix: string, specs: readonly AlarmSpec[]): Promise<void> {
    const { client } = this.#options;
    const there = await this.#list(prefix);
    for (const spec of specs) {
      const marked = markOf(spec);
      // AWS takes a few of these a second.
      if (there.get(spec.AlarmName) !== marked.AlarmDescription) await client.send(new PutMetricAlarmCommand(marked));
      there.delete(spec.AlarmName);
    }
    const left = [...there.keys()];
    for (let start = 0; start < left.length; start += DELETED_AT_ONCE) {
      const AlarmNames = left.slice(start, start + DELETED_AT_ONCE);
      try {
        await client.send(new DeleteAlarmsCommand({ AlarmNames }));
      } catch (error) {
        // Another process removes the same ones at this moment; what is then left goes the next time.
        if (!(error instanceof ResourceNotFound)) throw error;
      }
    }
  }

  /** Descriptions of alarms by their names. */
  async #list(AlarmNamePrefix: string): Promise<Map<string, string | undefined>> {
    const { client, stage } = this.#options;
    const found = new Map<string, string | undefined>();
    for await (const page of paginateDescribeAlarms({ client }, { AlarmNamePrefix, AlarmTypes: ['MetricAlarm'] })) {
      for (const alarm of page.MetricAlarms ?? []) {
        // Names of another stage, such as dev-int-more, may begin in the same way.
        if (stageOf(alarm) === stage) found.set(alarm.AlarmName ?? '', alarm.AlarmDescription);
      }
    }
    return found;
  }
}

function stageOf({ Dimensions, Metrics }: MetricAlarm): string | undefined {
  const metric = Metrics?.find(({ MetricStat }) => MetricStat !== undefined)?.MetricStat?.Metric;
  const dimensions = Dimensions !== undefined && Dimensions.length > 0 ? Dimensions : metric?.Dimensions;
  return dimensions?.find(({ Name }) => Name === 'Stage')?.Value;
}

/** AWS gives an alarm back in a form of its own: that it is as planned is told by a mark at the end of its description. */
function markOf(spec: AlarmSpec): AlarmSpec {
  const hash = createHash('sha256')
    .update(canonicalJson(spec as unknown as Json))
    .digest('hex');
  return { ...spec, AlarmDescription: `${spec.AlarmDescription} (${hash.slice(0, 12)})` };
}
