import * as z from 'zod';
import { nearest } from '../core/config';
import { Fault, type FieldIssue } from '../core/fault';
import { STAGE_PATTERN } from './env';

/** The time-out of a sync function. The queue hides a message for six times as long. */
export const SLICE_SECONDS = 300;

/** What a function needs after its work budget: the last batch, its checkpoint, the next message. */
const SECONDS_TO_END = 30;

/** In the clone that the stage was deployed from: it is right wherever that is kept. */
const DEFAULT_RUNBOOK = 'docs/runbook.md';

/** Retentions that CloudWatch Logs knows. */
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653];

// `-c key=value` gives text, cdk.json gives JSON.
const whole = (least: number, most: number) =>
  z.coerce
    .number(`expected a whole number from ${least} to ${most}`)
    .int(`expected a whole number from ${least} to ${most}`)
    .min(least, `expected at least ${least}`)
    .max(most, `expected at most ${most}`);

const number = (least: number, most: number) =>
  z.coerce
    .number(`expected a number from ${least} to ${most}`)
    .min(least, `expected at least ${least}`)
    .max(most, `expected at most ${most}`);

const flag = z
  .union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], 'expected true or false')
  .default(false);

const url = z.url({ protocol: /^https$/, error: 'expected an address that begins with https://' });

const names = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(',').map((name) => name.trim()))])
  .refine((list) => list.length > 0, 'expected types of connectors, such as "postgresql,mysql"');

const schema = z
  .strictObject({
    stage: z
      .string()
      .regex(STAGE_PATTERN, 'expected a-z, 0-9 and "-", at most 20, beginning with a letter')
      .default('dev'),
    /** `secret`: any PostgreSQL whose URL is in a secret. `aurora`: an Aurora of our own, in a network of our own. */
    destination: z.enum(['secret', 'aurora'], 'expected "secret" or "aurora"').default('secret'),
    /** Types that get a function; all, by default. */
    connectors: names.optional(),
    integrations: z.string().min(1, 'expected a folder').default('integrations'),
    functions: z.string().min(1, 'expected a folder').default('dist/functions'),
    jwtIssuer: url.optional(),
    jwtAudience: z.string().min(1, 'expected the audience that tokens are made for').optional(),
    /** Less than a second is for tests of the going on. */
    workSeconds: number(0.05, SLICE_SECONDS - SECONDS_TO_END).default(240),
    logRetentionDays: z.coerce
      .number()
      .refine((days) => RETENTIONS.includes(days), `expected one of ${RETENTIONS.join(', ')}`)
      .optional(),
    memory: whole(256, 10_240).default(1024),
    /** Sync functions of one connector at the same time; fewer than two cannot be set on a queue. */
    maxConcurrency: whole(2, 1000).default(3),
    sourceConnections: whole(1, 10_000).default(50),
    destinationConnections: whole(1, 10_000).default(90),
    requestsPerSecond: whole(1, 10_000).default(50),
    alertEmail: z.email('expected an e-mail address').optional(),
    runbook: url.default(DEFAULT_RUNBOOK),
    emulated: flag,
  })
  .refine((value) => value.jwtIssuer === undefined || value.jwtAudience !== undefined, {
    path: ['jwtAudience'],
    message: 'is needed beside jwtIssuer; without it a token made for any other service would be let in',
  })
  .refine((value) => value.jwtAudience === undefined || value.jwtIssuer !== undefined, {
    path: ['jwtIssuer'],
    message: 'is needed beside jwtAudience',
  });

type Parsed = z.output<typeof schema>;

/** What one stage is made of. */
export interface StageSettings extends Omit<Parsed, 'logRetentionDays'> {
  readonly logRetentionDays: number;
  /** Data and logs of such a stage survive its stacks. */
  readonly production: boolean;
}

/**
 * The settings in the context of the app (`cdk.json`, `-c key=value`). A key that is not known is refused: a wrong
 * spelling would otherwise deploy the default in silence.
 * @throws Fault `config`/`invalid_context`
 */
export function stageSettings(context: { readonly [key: string]: unknown }): StageSettings {
  // Flags and look-ups of the CDK have one of these characters.
  const own = Object.fromEntries(Object.entries(context).filter(([key]) => !/[:@/]/.test(key)));
  const result = schema.safeParse(own, { reportInput: false });
  if (!result.success) throw invalidContext(result.error.issues.flatMap(issuesOf));
  const production = /^prod(uction)?(-|$)/.test(result.data.stage);
  return { ...result.data, production, logRetentionDays: result.data.logRetentionDays ?? (production ? 90 : 30) };
}

function issuesOf(issue: z.core.$ZodIssue): FieldIssue[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path.join('.'), message: issue.message }];
  return issue.keys.map((key) => {
    const near = nearest(key, Object.keys(schema.shape));
    return { path: key, message: near === undefined ? 'is not known' : `is not known; did you mean "${near}"?` };
  });
}

/** The types that get a function. @throws Fault `config`/`invalid_context` for one that is not known */
export function deployedTypes({ connectors }: StageSettings, known: readonly string[]): readonly string[] {
  const issues = (connectors ?? []).flatMap((type): FieldIssue[] => {
    if (known.includes(type)) return [];
    const near = nearest(type, known);
    const message = near === undefined ? `there are: ${known.join(', ')}` : `did you mean "${near}"?`;
    return [{ path: 'connectors', message: `"${type}" is not known; ${message}` }];
  });
  if (issues.length > 0) throw invalidContext(issues);
  return connectors === undefined ? known : known.filter((type) => connectors.includes(type));
}

/** The fault for settings that cannot be. */
export function invalidContext(issues: readonly FieldIssue[]): Fault {
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new Fault('config', 'invalid_context', `reading the context of the app: ${text}`, {
    hint: 'Correct it in cdk.json under "context", or on the command line: -c key=value. docs/deploy.md lists all keys.',
    issues,
  });
}
