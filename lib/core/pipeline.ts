import type { RowBatch } from './batch';
import type { Rejection } from './destination';
import type { StreamSchema } from './schema';

/** The steps and rules of one integration between reading and writing. */
export interface Pipeline {
  /** Binds the steps to one shape; called once per schema, not per batch. @throws Fault `config` */
  bind(stream: StreamSchema): BoundPipeline;
}

/** A pipeline for one shape. */
export interface BoundPipeline {
  readonly output: StreamSchema;
  /** Gives the batch as it is to be written; records that fail are left out of it and reported through `reject`. */
  run(batch: RowBatch, reject: (rejection: Rejection) => void): RowBatch;
}
