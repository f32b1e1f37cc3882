import * as z from 'zod';

/** The named schemas of the OpenAPI document. */
export const components = z.registry<{ id: string }>();

/** Declares a schema under a name of its own in the OpenAPI document. */
export function named<S extends z.ZodType>(id: string, schema: S): S {
  components.add(schema, { id });
  return schema;
}

const time = z.iso.datetime().meta({ description: 'ISO 8601 in UTC.' });
const count = z.int().nonnegative();
const syncMode = z.enum(['full', 'incremental', 'changes']);
const runState = z.enum(['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled']);

const faultFields = {
  kind: z
    .enum(['transient', 'config', 'data', 'lost', 'bug'])
    .meta({ description: 'What to do: retry, change the configuration, look at the record, read again, report.' }),
  code: z.string().meta({ description: 'Stable name of what went wrong.' }),
  message: z.string(),
  hint: z.string().meta({ description: 'What the owner can do.' }).optional(),
};

export const fault = named('Fault', z.object(faultFields));

/** The answer to whatever is refused (RFC 9457). */
export const problem = named(
  'Problem',
  z.object({
    type: z.string().meta({ description: 'Where the reference explains the problem.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What was being done and what was wrong.' }),
    code: z.string().meta({ description: 'Stable name of the problem.' }),
    hint: z.string().meta({ description: 'What to do.' }).optional(),
    errors: z
      .array(z.object({ path: z.string().meta({ description: 'As in `connection.port`.' }), message: z.string() }))
      .meta({ description: 'Each wrong field.' })
      .optional(),
    run: z.string().meta({ description: 'With `run_active`: id of the run that is going on.' }).optional(),
  }),
);

export const integration = named(
  'Integration',
  z.object({
    id: z.string(),
    document: z.record(z.string(), z.unknown()).meta({
      description: 'The document as it was written. Secrets are shown as `[secret]`; sent back like that, they stay.',
    }),
    revision: z.int().meta({ description: 'Grows with each update; the `ETag` is this in quotes.' }),
    created_at: time,
    updated_at: time,
    warnings: z.array(z.string()).meta({ description: 'What is accepted but does nothing yet, or should be known.' }),
  }),
);

export const integrationList = named('IntegrationList', z.object({ integrations: z.array(integration) }));

const counts = { rows: count, bytes: count, slices: count, retries: count, quarantined: count, skipped: count };

const streamRun = named(
  'StreamRun',
  z.object({
    ...counts,
    stream: z.string(),
    state: runState,
    mode: syncMode,
    reason: z.string().meta({ description: 'Why this mode and cursor.' }),
    slices_done: count,
    estimated_rows: count.optional(),
    changes: z.array(z.string()).meta({ description: 'Changes of the stored schema, in words.' }),
    notes: z.array(z.string()),
    fault: fault.optional(),
    started_at: time.optional(),
    finished_at: time.optional(),
  }),
);

const runFields = {
  ...counts,
  id: z.string(),
  integration: z.string(),
  requested: z
    .enum(['full', 'incremental'])
    .meta({ description: 'What was asked for; absent: as the document says.' })
    .optional(),
  trigger: z.enum(['manual', 'schedule', 'start', 'webhook']),
  state: runState,
  created_at: time,
  started_at: time.optional(),
  finished_at: time.optional(),
  seconds: z.number().meta({ description: 'From start to end, or until now.' }),
  fault: fault.optional(),
  cost: z
    .object({ usd: z.number(), basis: z.string() })
    .meta({ description: 'What the run would cost as serverless functions.' }),
  cancel_requested: z.boolean(),
};

export const run = named('Run', z.object(runFields));
export const runDetails = named('RunDetails', z.object({ ...runFields, streams: z.array(streamRun) }));
const next = z.string().meta({ description: '`after` of the next page; absent on the last one.' }).optional();
export const runList = named('RunList', z.object({ runs: z.array(run), next }));

/** What a call of a webhook leads to. */
export const webhookRuns = named(
  'WebhookRuns',
  z.object({
    runs: z
      .array(
        z.object({
          integration: z.string(),
          run: z.string().meta({ description: 'Id of the run.' }),
          state: runState,
          joined: z.boolean().meta({
            description: 'The run was there already: it waits for its turn, or the same call has come before.',
          }),
        }),
      )
      .meta({ description: 'One for each integration whose secret has made the signature.' }),
  }),
);

/** What became of dead letters. */
export const redriveList = named(
  'RedriveList',
  z.object({
    letters: z.array(
      z.object({
        integration: z.string().meta({ description: 'Absent where the letter is no message of ours.' }).optional(),
        run: z
          .string()
          .meta({ description: 'Run that the letter is about; absent for a tick of a schedule.' })
          .optional(),
        outcome: z.enum(['resent', 'started', 'removed', 'kept']).meta({
          description:
            '`resent`: its run was still going on and was sent to the workers again. `started`: a new run takes the place of one that had been ended as failed, or of a tick. `removed`: nothing was left to do. `kept`: the letter stays, see the note.',
        }),
        started: z.string().meta({ description: 'Id of the run that was started.' }).optional(),
        note: z.string(),
      }),
    ),
  }),
);

const alertSeverity = z.enum(['info', 'warning', 'critical']);
const alertValues = z
  .record(z.string(), z.union([z.number(), z.string()]))
  .meta({ description: 'Values of the names in its condition; lengths of time are seconds.' });

export const alert = named(
  'Alert',
  z.object({
    integration: z.string(),
    name: z.string(),
    slug: z.string().meta({ description: 'Names it in paths: the letters and digits of the name.' }),
    condition: z.string(),
    duration: z.string().optional(),
    severity: alertSeverity,
    channels: z.array(z.string()).meta({ description: 'Empty: all of them.' }),
    state: z.enum(['ok', 'pending', 'firing', 'resolved', 'no_data', 'unknown']).meta({
      description:
        '`pending`: the condition holds, but not for `duration` yet. `resolved`: it has just ceased to hold. `unknown`: it was not looked at yet, or its integration is paused.',
    }),
    since: time.optional(),
    looked_at: time.meta({ description: 'When the values were seen.' }).optional(),
    values: alertValues,
    told_at: time.meta({ description: 'When somebody was last told that it rings.' }).optional(),
    acknowledged: z.object({ at: time, by: z.string().optional(), comment: z.string().optional() }).optional(),
    muted_until: time.meta({ description: 'Nobody is told of it until then.' }).optional(),
  }),
);

/** What happened to an alert. */
export const alertChange = named(
  'AlertChange',
  z.object({
    id: z.string(),
    at: time,
    alert: z.string().meta({ description: 'Slug of the alert.' }),
    name: z.string(),
    change: z.enum(['firing', 'resolved', 'acknowledged']),
    severity: alertSeverity,
    values: alertValues,
    reason: z
      .string()
      .meta({ description: 'Why it ended, where its condition did not just cease to hold.' })
      .optional(),
    by: z.string().optional(),
    comment: z.string().optional(),
  }),
);

export const connectionStatus = z
  .enum(['connected', 'failed', 'unknown'])
  .meta({ description: 'What the newer of the last run and the last connection test showed.' });

/** How the regular tests of a connection stand. */
export const healthCheck = named(
  'HealthCheck',
  z.object({
    state: z.enum(['passed', 'failed', 'waiting', 'not_probed']).meta({
      description:
        'The outcome of the last one. `waiting`: none was made yet. `not_probed`: none is made now, `reason` says why.',
    }),
    reason: z.string().optional(),
    at: time.optional(),
    since: time.meta({ description: 'Since when the outcome is what it is.' }).optional(),
    last_success: time.optional(),
    consecutive_failures: count,
    milliseconds: z.number().meta({ description: 'How long its last attempt took.' }).optional(),
    step: z
      .string()
      .meta({
        description:
          'The step that failed, as in a connection test; `open`: it could not begin, `timeout`: it took too long.',
      })
      .optional(),
    fault: fault.optional(),
    next_at: time.meta({ description: 'When the next one is due.' }).optional(),
    recent: z
      .array(
        z.object({
          at: time,
          passed: z.boolean(),
          milliseconds: z.number(),
          attempts: count,
          step: z.string().optional(),
        }),
      )
      .meta({ description: 'The last 20, newest first.' }),
  }),
);

export const status = named(
  'Status',
  z.object({
    integration: z.string(),
    state: z.enum(['idle', ...runState.options]).meta({
      description: '`idle` before the first run, else the state of the running or last run.',
    }),
    enabled: z.boolean(),
    connection_status: connectionStatus,
    health_check: healthCheck.optional().meta({ description: 'Where the document asks for regular connection tests.' }),
    running: runDetails.optional(),
    progress: z
      .object({
        rows: count,
        bytes: count,
        estimated_rows: count.optional(),
        fraction: z.number().meta({ description: '0 to 1.' }).optional(),
        seconds_left: z.number().optional(),
        rows_per_second: z.number(),
      })
      .optional(),
    last_run: runDetails.optional(),
    queued: z.array(z.string()).meta({ description: 'Ids of runs that wait.' }),
    freshness: z
      .object({ at: time, seconds: z.number() })
      .meta({ description: 'When data was last brought up to date, and how long ago.' })
      .optional(),
    next_run: time.optional(),
    last_fault: z.object({ ...faultFields, at: time, stream: z.string().optional() }).optional(),
    firing_alerts: z
      .array(alert)
      .meta({ description: 'Alerts that ring; absent where CloudWatch keeps their state.' })
      .optional(),
    warnings: z.array(z.string()).meta({ description: 'What should be done soon, such as changing a credential.' }),
  }),
);

/** The streams whose new shape was accepted. */
export const acceptedSchema = named(
  'AcceptedSchema',
  z.strictObject({ streams: z.array(z.string()).meta({ description: 'What was accepted: the next sync goes on.' }) }),
);

/** How channels of notifications stand. */
export const channelStatus = named(
  'NotificationChannel',
  z.object({
    channel: z.string().meta({ description: 'As documents call it.' }),
    state: z.enum(['ok', 'idle', 'failing', 'missing']).meta({
      description: '`idle`: nothing was sent yet. `missing`: it is not configured; `missing` says what to set.',
    }),
    waiting: count.meta({ description: 'Notifications that wait to be sent.' }),
    sent: count.meta({ description: 'Messages that were taken.' }),
    given_up: count.meta({ description: 'Notifications that were given up after a day.' }),
    last_success: time.optional(),
    last_fault: z.object({ ...faultFields, at: time }).optional(),
    missing: fault.optional(),
    next_attempt: time.optional(),
    used_by: z.array(z.string()).meta({ description: 'Integrations whose alerts name it.' }),
  }),
);

/** All of them. */
export const channelList = named('NotificationChannels', z.object({ channels: z.array(channelStatus) }));

/** What became of test messages. */
export const testOutcomes = named(
  'NotificationTest',
  z.object({
    outcomes: z.array(z.object({ channel: z.string(), sent: z.boolean(), fault: fault.optional() })),
  }),
);
