import { createHash } from 'node:crypto';
import { globFilter } from '../core/globs';
import type { IntegrationFields } from '../core/integration';
import { canonicalJson, type Json } from '../core/json';
import type { Pipeline, PipelineServices } from '../core/pipeline';
import type { StreamSchema } from '../core/schema';
import type { Transformation } from '../core/transformations';
import type { ValidationRule } from '../core/validation-rules';
import { BoundSteps } from './bound';
import type { Failure } from './frame';
import { keptShape } from './kept-shape';
import { Layout, type Slot } from './layout';
import { makeRule } from './rules';
import { type BoundStep, BROKEN, failures, INVALID, type Step } from './step';
import { makeStep } from './steps';

/** The parts of a document that make its pipeline; references to secrets are resolved. */
export type PipelineFields = Pick<IntegrationFields, 'transformations' | 'validation_rules' | 'error_handling'>;

interface Placed {
  readonly step: Step;
  readonly path: string;
  readonly mark: Failure['mark'];
  readonly named: boolean;
  isFor(stream: string): boolean;
}

/**
 * Compiles steps and rules; `undefined` when there are none. Streams in `kept` keep that shape, whatever the source's.
 * @throws Fault `config`/`invalid_config` naming the place
 */
export async function compilePipeline(
  { transformations = [], validation_rules: rules = [], error_handling: handling }: PipelineFields,
  services: PipelineServices,
  kept: ReadonlyMap<string, StreamSchema> = new Map(),
): Promise<Pipeline | undefined> {
  if (transformations.length + rules.length + kept.size === 0) return undefined;
  const placed: Placed[] = [...kept.values()].map((schema) => ({
    step: keptShape(schema),
    path: 'schema_changes',
    mark: BROKEN,
    named: true,
    isFor: (stream) => stream === schema.stream,
  }));
  for (const [index, config] of transformations.entries()) {
    const path = `transformations[${index}]`;
    placed.push(place(config, await makeStep(config, path, services), path, BROKEN));
  }
  for (const [index, config] of rules.entries()) {
    const path = `validation_rules[${index}]`;
    placed.push(place(config, await makeRule(config, path), path, INVALID));
  }
  const strategy = handling?.strategy ?? 'quarantine';
  const mayEmpty = (slot: Slot) => strategy === 'null_field' && !slot.isKey;
  return {
    fingerprint: fingerprintOf({ transformations, rules, strategy }),
    concerns: (stream) => placed.some(({ isFor }) => isFor(stream)),
    isSerial: (stream) => placed.some(({ step, isFor }) => step.serial === true && isFor(stream)),
    bind(stream: StreamSchema) {
      const layout = new Layout(stream);
      const steps: BoundStep[] = [];
      for (const { step, path, mark, named, isFor } of placed) {
        if (!isFor(stream.stream)) continue;
        const bound = step.bind({ layout, path, named, failure: failures(mark, mayEmpty) });
        if (bound) steps.push(bound);
      }
      return new BoundSteps({ layout, steps, strategy });
    },
  };
}

function place(config: Transformation | ValidationRule, step: Step, path: string, mark: Failure['mark']): Placed {
  const globs = config.stream === undefined ? undefined : [config.stream].flat();
  const isFor = globs === undefined ? () => true : globFilter(globs);
  return { step, path, mark, named: globs !== undefined && !globs.some((glob) => /[*?!]/.test(glob)), isFor };
}

/** Equal configurations have equal fingerprints. Keys of digests are left out: nobody shall guess them from it. */
function fingerprintOf(config: object): string {
  const text = JSON.stringify(config, (name, value: Json) => (name === 'key' ? null : value));
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(text) as Json))
    .digest('hex')
    .slice(0, 16);
}

/** Services for checking a document: nothing is asked. */
const NO_SERVICES: PipelineServices = { lookup: async () => new Map(), places: async () => () => undefined };

/** Checks steps and rules as far as can be done without a stream. @throws Fault `config`/`invalid_config` */
export async function checkPipeline(fields: PipelineFields): Promise<void> {
  await compilePipeline(fields, NO_SERVICES);
}
