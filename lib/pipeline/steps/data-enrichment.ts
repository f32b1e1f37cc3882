import type { PipelineServices } from '../../core/pipeline';
import type { TransformationOf } from '../../core/transformations';
import type { Step } from '../step';
import { type Enrichment, type MakeEnrichment, runInTurn } from './enrichment/enrichment';
import { ipGeolocation } from './enrichment/ip-geolocation';
import { lookup } from './enrichment/lookup';

/** Adds what is known about a value elsewhere. What is not known is NULL: enrichment never loses a record. */
export async function dataEnrichment(
  { enrichments }: TransformationOf<'data_enrichment'>,
  path: string,
  services: PipelineServices,
): Promise<Step> {
  const made: Enrichment[] = [];
  for (const [index, config] of enrichments.entries()) {
    const at = `enrichments[${index}]`;
    made.push(await make(config, at, `${path}.${at}`, services));
  }
  return { bind: (binding) => runInTurn(made.flatMap((enrichment) => enrichment(binding) ?? [])) };
}

function make(
  config: TransformationOf<'data_enrichment'>['enrichments'][number],
  ...given: MakeEnrichment
): Enrichment | Promise<Enrichment> {
  return config.source === 'lookup' ? lookup(config, ...given) : ipGeolocation(config, ...given);
}
