import type { Context } from 'hono';
import type * as z from 'zod';
import type { Service } from '../core/service';
import type { IdempotencyKeys } from './idempotency';
import type { OpenApiDocument } from './openapi';
import type { ProblemCode } from './problem-codes';

/** What the routes work with. */
export interface Workings {
  readonly service: Service;
  readonly version: string;
  readonly idempotency: IdempotencyKeys;
  /**
   * Aborts when the client is gone, the server is about to stop, or an answer must be given: whoever waits for a run is then
   * answered with the run as it is.
   */
  patience(request: Request): AbortSignal;
  openApi(): Promise<OpenApiDocument>;
}

/** One kind of answer. */
export interface Answer {
  readonly description: string;
  /** Absent: there is no body. */
  readonly schema?: z.ZodType;
  readonly mediaType?: string;
  /** Header name to what it says. */
  readonly headers?: { readonly [name: string]: string };
}

/** A header that a request can carry. */
export interface RequestHeader {
  readonly name: string;
  readonly description: string;
}

/** What the body of a request holds. `document`: a whole integration, as its connector describes it; `bytes`: anything. */
export interface RequestBody {
  readonly schema: z.ZodObject | 'document' | 'patch' | 'bytes';
  readonly description: string;
  readonly required: boolean;
  readonly mediaTypes?: readonly string[];
}

/** One route, declared once: it is served, listed in the OpenAPI document and described in the reference from this. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As OpenAPI writes it: `/api/integrations/{id}`. */
  readonly path: string;
  /** The last parameter of the path holds all that follows, slashes too. */
  readonly hasRest?: true;
  readonly id: string;
  readonly tag: 'Integrations' | 'Syncs and runs' | 'Alerts' | 'Notifications' | 'Documents' | 'About';
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly headers?: readonly RequestHeader[];
  readonly body?: RequestBody;
  readonly answers: { readonly [status: number]: Answer };
  /** Problems beyond those that every route can answer with. */
  readonly problems: readonly ProblemCode[];
  /** Needs no API key: shows nothing of what is stored. */
  readonly isPublic?: true;
  /** A signature of the body takes the place of the API key and of what keeps browsers away; its path begins with `/webhooks/`. */
  readonly isSigned?: true;
  handle(c: Context, workings: Workings): Promise<Response>;
}
