import { type ApiOptions, createApi } from '../../lib/api/app';
import type { LogFields, Logger } from '../../lib/core/log';
import { FakeService } from './fake-service';

/** A log line as it was written. */
export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is logged. */
export function recordingLog(lines: Line[]): Logger {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: () => recordingLog(lines),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
  readonly text: string;
}

export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

/** The API over a fake service, and a way to call it without a network. */
export function startApi(options: Partial<ApiOptions> = {}) {
  const service = new FakeService();
  const lines: Line[] = [];
  const app = createApi({ service, version: '9.8.7', log: recordingLog(lines), allowedHosts: [], ...options });
  const call: Call = async (method, path, body, headers = {}) => {
    const json = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const init = { method, headers: { ...json, ...headers }, ...(payload !== undefined && { body: payload }) };
    const response = await app.request(path, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    };
  };
  return { app, service, lines, call };
}

export const SALES = {
  name: 'sales',
  type: 'postgresql',
  connection: { host: 'db.company.com', port: 5432, password: 'hunter2-hunter2' },
  sync_settings: { mode: 'incremental', batch_size: 1000 },
  enabled: true,
};
