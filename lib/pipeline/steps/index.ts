import type { PipelineServices } from '../../core/pipeline';
import type { Transformation, TransformationOf } from '../../core/transformations';
import type { Step } from '../step';

/** Makes a step of its checked configuration. @throws Fault `config`/`invalid_config` */
export type MakeStep<T extends Transformation['type']> = (
  config: TransformationOf<T>,
  path: string,
  services: PipelineServices,
) => Step | Promise<Step>;

/** THE registry of steps: one line a type, loaded when a document uses it. */
const STEPS: { readonly [T in Transformation['type']]: () => Promise<MakeStep<T>> } = {
  field_mapping: async () => (await import('./field-mapping')).fieldMapping,
  data_type_conversion: async () => (await import('./data-type-conversion')).dataTypeConversion,
  data_enrichment: async () => (await import('./data-enrichment')).dataEnrichment,
  constant: async () => (await import('./constant')).constant,
  hash: async () => (await import('./hash')).hash,
  mask: async () => (await import('./mask')).mask,
  drop: async () => (await import('./drop')).drop,
  flatten: async () => (await import('./flatten')).flatten,
  filter: async () => (await import('./filter')).filter,
  expression: async () => (await import('./expression')).expression,
};

/** Makes the step that a document describes. */
export async function makeStep<T extends Transformation['type']>(
  config: TransformationOf<T> & { readonly type: T },
  path: string,
  services: PipelineServices,
): Promise<Step> {
  const make = await STEPS[config.type]();
  return make(config, path, services);
}
