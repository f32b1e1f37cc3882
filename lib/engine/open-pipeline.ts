import type { Destination } from '../core/destination';
import { Fault } from '../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { Json } from '../core/json';
import type { BoundPipeline, LookupRequest, Pipeline } from '../core/pipeline';
import type { StreamSchema } from '../core/schema';
import { secretsOf } from './credential-store';
import type { EnginePorts } from './ports';
import { resolveReferences } from './resolve';
import { acceptedSchemas, keepsShapes, schemaPolicy } from './schema-policy';

type PipelineSections = Pick<IntegrationFields, 'transformations' | 'validation_rules'>;

/** Opens the steps and rules of an integration; `undefined` when it has none. @throws Fault `config` */
export async function openPipeline(
  ports: EnginePorts,
  document: IntegrationDocument,
  fields: IntegrationFields,
  destination: Pick<Destination, 'lookup'>,
): Promise<Pipeline | undefined> {
  const { transformations, validation_rules } = document;
  const sections: { [name: string]: Json } = {
    ...(transformations !== undefined && { transformations }),
    ...(validation_rules !== undefined && { validation_rules }),
  };
  const resolved = await resolveReferences(sections, secretsOf(ports, document), ports.redactor);
  const lookup = (request: LookupRequest) => {
    if (destination.lookup) return destination.lookup(request);
    throw new Fault('config', 'no_lookup', `looking into ${request.table}: this destination cannot be asked`);
  };
  return ports.openPipeline?.(
    { ...fields, ...(resolved as PipelineSections) },
    lookup,
    await keptShapes(ports, fields),
  );
}

/** The steps for records of a shape, where there are any. */
export function boundTo(
  { pipeline }: { readonly pipeline?: Pipeline },
  schema: StreamSchema,
): BoundPipeline | undefined {
  return pipeline?.concerns(schema.stream) === true ? pipeline.bind(schema) : undefined;
}

/** The accepted shapes of streams that keep them. */
async function keptShapes(ports: EnginePorts, fields: IntegrationFields): Promise<ReadonlyMap<string, StreamSchema>> {
  if (!keepsShapes(fields)) return new Map();
  const accepted = await acceptedSchemas(ports.state, fields.name);
  return new Map([...accepted].filter(([stream]) => schemaPolicy(fields, stream) === 'quarantine'));
}
