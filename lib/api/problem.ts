import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Fault, type FieldIssue } from '../core/fault';
import type { Logger } from '../core/log';
import { type FaultProblem, PROBLEMS, type Problem, type ProblemCode, problemOf } from './problem-codes';

/** What an answer with problem details can say beside its code and detail. */
export interface ProblemParts {
  readonly hint?: string;
  readonly errors?: readonly FieldIssue[];
  readonly headers?: { readonly [name: string]: string };
  /** The run that is in the way. */
  readonly run?: string;
}

/** A refusal that the API itself makes, to be thrown from anywhere below a route. */
export function refusal(c: Context, code: ProblemCode, detail: string, parts: ProblemParts = {}): HTTPException {
  const problem = PROBLEMS[code];
  return new HTTPException(problem.status, { res: problemResponse(c, problem, code, detail, parts), message: code });
}

/** The answer to a fault of the service. What a bug says stays in the log. */
export function faultResponse(c: Context, fault: Fault, log: Logger): Response {
  return problemOf(fault).key === 'internal_error' ? defectResponse(c, fault, log) : ownerResponse(c, fault);
}

function ownerResponse(c: Context, fault: Fault): Response {
  const problem = problemOf(fault);
  return problemResponse(c, problem, fault.code, fault.message, {
    ...(fault.hint !== undefined && { hint: fault.hint }),
    ...(fault.issues !== undefined && { errors: fault.issues }),
    ...(fault.run !== undefined && { run: fault.run }),
    ...(problem.retry && { headers: { 'Retry-After': retryAfter(fault) } }),
  });
}

function retryAfter(fault: Fault): string {
  const DEFAULT_MS = 5000;
  return String(Math.max(1, Math.ceil((fault.retryAfterMs ?? DEFAULT_MS) / 1000)));
}

function defectResponse(c: Context, fault: Fault, log: Logger): Response {
  const request = String(c.get('requestId'));
  const cause = fault.cause instanceof Error ? fault.cause : fault;
  log.error('request failed by a defect', {
    request_id: request,
    code: fault.code,
    error: fault.message,
    ...(cause.stack !== undefined && { stack: cause.stack }),
  });
  return problemResponse(
    c,
    problemOf(fault),
    'internal_error',
    'The request failed by a defect in ExplorerIO; nothing is known to be wrong with the request.',
    { hint: `Look for the request id ${request} in the log of ExplorerIO, and report what it says.` },
  );
}

function problemResponse(
  c: Context,
  problem: Problem | FaultProblem,
  code: string,
  detail: string,
  parts: ProblemParts,
): Response {
  const anchor = 'key' in problem ? problem.key : code;
  const body = {
    type: `/api/docs#${anchor}`,
    title: problem.title,
    status: problem.status,
    detail,
    code,
    ...(parts.hint !== undefined && { hint: parts.hint }),
    ...(parts.errors !== undefined && { errors: parts.errors }),
    ...(parts.run !== undefined && { run: parts.run }),
  };
  return c.body(JSON.stringify(body), problem.status as ContentfulStatusCode, {
    ...parts.headers,
    'Content-Type': 'application/problem+json',
  });
}

/** Turns whatever was thrown below a route into an answer. */
export function errorHandler(log: Logger) {
  return (error: unknown, c: Context): Response => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof Fault) return faultResponse(c, error, log);
    return faultResponse(c, new Fault('bug', 'unexpected_error', String(error), { cause: error }), log);
  };
}
