import type { MuteRequest } from '../../lib/core/alert/alert';
import { invalidConfig } from '../../lib/core/config';
import { Fault } from '../../lib/core/fault';
import type { IntegrationDocument } from '../../lib/core/integration';
import type { FieldValues, QuarantineFilter } from '../../lib/core/quarantine';
import type { Run, RunDetails } from '../../lib/core/run';
import type { SearchRequest } from '../../lib/core/search';
import type { Integration, RedriveQuery, ReplayOrder, Service, SyncRequest, WebhookCall } from '../../lib/core/service';
import * as full from './full-answers';

function notFound(what: string): Fault {
  return new Fault('config', 'not_found', `reading ${what}: there is none of that name`, {
    hint: 'List what there is.',
  });
}

/** A service in memory, as lib/core/service.ts demands it, with what it was asked for. */
export class FakeService implements Service {
  readonly stored = new Map<string, Integration>();
  readonly started: Run[] = [];
  readonly calls: string[] = [];
  /** Thrown by the next call of that name. */
  readonly failures = new Map<string, unknown>();
  /** Runs end when this is called. */
  endRun: () => void = () => undefined;
  #ended = new Promise<void>((resolve) => {
    this.endRun = resolve;
  });
  /** Ends of `wait` by its signal. */
  abandoned = 0;
  passes = true;

  #enter(name: string, ...details: unknown[]): void {
    this.calls.push([name, ...details.map((detail) => JSON.stringify(detail))].join(' '));
    const failure = this.failures.get(name);
    this.failures.delete(name);
    if (failure !== undefined) throw failure;
  }

  async connectors() {
    this.#enter('connectors');
    return [full.connectorInfo];
  }

  async validate(document: unknown) {
    this.#enter('validate');
    this.#parse(document);
    return ['data_quality does nothing yet'];
  }

  async create(document: unknown): Promise<Integration> {
    this.#enter('create');
    const parsed = this.#parse(document);
    const id = String(parsed.name);
    if (this.stored.has(id))
      throw new Fault('config', 'already_exists', `creating integration ${id}: the name is taken`);
    return this.#store(id, parsed, 1);
  }

  async list() {
    return [...this.stored.values()];
  }

  async get(id: string): Promise<Integration> {
    this.#enter('get', id);
    const found = this.stored.get(id);
    if (!found) throw notFound(`integration ${id}`);
    return found;
  }

  async update(id: string, document: unknown, revision: number | undefined): Promise<Integration> {
    this.#enter('update', id, revision);
    const { revision: current } = await this.get(id);
    if (revision !== undefined && revision !== current) {
      throw new Fault('config', 'revision_conflict', `changing integration ${id}: it has changed in the meantime`);
    }
    return this.#store(id, this.#parse(document), current + 1);
  }

  async remove(id: string, options: { readonly revision?: number; readonly data: boolean }): Promise<void> {
    this.#enter('remove', id, options);
    await this.get(id);
    this.stored.delete(id);
  }

  async check(target: string | IntegrationDocument) {
    this.#enter('check', target);
    await this.#find(target);
    return this.passes ? full.checkReport : { passed: false, steps: full.checkReport.steps };
  }

  async discover(target: string | IntegrationDocument) {
    this.#enter('discover', target);
    await this.#find(target);
    return [full.streamInfo];
  }

  async plan(target: string | IntegrationDocument) {
    this.#enter('plan', target);
    await this.#find(target);
    return full.plan;
  }

  async sync(id: string, request: SyncRequest): Promise<Run> {
    this.#enter('sync', id, request);
    await this.get(id);
    const run: Run = { ...full.run, id: `run-${this.started.length + 1}`, integration: id, state: 'running' };
    this.started.push(run);
    return run;
  }

  async webhook({ body, ...call }: WebhookCall) {
    this.#enter('webhook', { ...call, body: Buffer.from(body).toString('latin1') });
    return [full.webhookRun];
  }

  async wait(runId: string, signal: AbortSignal): Promise<RunDetails> {
    this.#enter('wait', runId);
    const aborted = new Promise<'aborted'>((resolve) => {
      signal.addEventListener('abort', () => resolve('aborted'), { once: true });
    });
    const ended = await Promise.race([this.#ended.then(() => 'ended' as const), aborted]);
    if (ended === 'aborted') this.abandoned++;
    return { ...full.runDetails, id: runId, state: ended === 'ended' ? 'succeeded' : 'running' };
  }

  async runs(id: string, query: { readonly limit: number; readonly after?: string }) {
    this.#enter('runs', id, query);
    await this.get(id);
    const all = Array.from({ length: 5 }, (_, index) => ({ ...full.run, id: `run-${5 - index}` }));
    const start = query.after === undefined ? 0 : all.findIndex((run) => run.id === query.after) + 1;
    return all.slice(start, start + query.limit);
  }

  async run(runId: string): Promise<RunDetails> {
    this.#enter('run', runId);
    if (!runId.startsWith('run-')) throw notFound(`run ${runId}`);
    return { ...full.runDetails, id: runId };
  }

  async cancel(runId: string): Promise<Run> {
    this.#enter('cancel', runId);
    if (!runId.startsWith('run-')) throw notFound(`run ${runId}`);
    return { ...full.run, id: runId };
  }

  async redrive(query: RedriveQuery) {
    this.#enter('redrive', query);
    return [full.redriven];
  }

  async status(id: string) {
    this.#enter('status', id);
    await this.get(id);
    return full.status;
  }

  async acceptSchema(id: string, streams: readonly string[] | undefined) {
    this.#enter('acceptSchema', id, streams);
    await this.get(id);
    return streams ?? ['orders'];
  }

  async alerts(id?: string) {
    this.#enter('alerts', id);
    if (id !== undefined) await this.get(id);
    return [full.alert];
  }

  async alertHistory(id: string, limit: number) {
    this.#enter('alertHistory', id, limit);
    return [full.alertChange];
  }

  async acknowledgeAlert(id: string, alert: string, by: { readonly by?: string | undefined }) {
    this.#enter('acknowledgeAlert', id, alert, by);
    await this.get(id);
    return full.alert;
  }

  async alertMutes() {
    this.#enter('alertMutes');
    return [full.alertMute];
  }

  async muteAlerts(request: MuteRequest) {
    this.#enter('muteAlerts', request);
    return full.alertMute;
  }

  async unmuteAlerts(id: string) {
    this.#enter('unmuteAlerts', id);
    if (id !== full.alertMute.id) throw notFound(`mute ${id}`);
  }

  async notificationChannels() {
    this.#enter('notificationChannels');
    return [full.channelStatus];
  }

  async testNotification(channel: string | undefined) {
    this.#enter('testNotification', channel);
    return [full.testOutcome];
  }

  async health() {
    this.#enter('health');
    return [full.health];
  }

  async credentials() {
    this.#enter('credentials');
    return [full.credential];
  }

  async stats() {
    this.#enter('stats');
    return [full.stats];
  }

  async figures() {
    this.#enter('figures');
    return [full.figures];
  }

  async replayQuarantined(id: string, order: ReplayOrder) {
    this.#enter('replayQuarantined', id, order);
    await this.get(id);
    return full.replayResult;
  }

  async dropQuarantined(id: string, filter: QuarantineFilter) {
    this.#enter('dropQuarantined', id, filter);
    await this.get(id);
    return 3;
  }

  async quarantined(id: string, query: { readonly limit: number }) {
    this.#enter('quarantined', id, query);
    await this.get(id);
    return [full.quarantinedRecord].slice(0, query.limit);
  }

  async quarantinedRecord(id: string, record: string) {
    this.#enter('quarantinedRecord', id, record);
    await this.get(id);
    return full.quarantinedRecord;
  }

  async editQuarantined(id: string, record: string, fields: FieldValues) {
    this.#enter('editQuarantined', id, record, fields);
    await this.get(id);
    return full.quarantinedRecord;
  }

  async search(request: SearchRequest) {
    this.#enter('search', request);
    return full.searchResult;
  }

  async #find(target: string | IntegrationDocument): Promise<void> {
    if (typeof target === 'string') await this.get(target);
    else this.#parse(target);
  }

  #parse(document: unknown): IntegrationDocument {
    const parsed = document as IntegrationDocument;
    if (typeof parsed.type !== 'string') throw invalidConfig([{ path: 'type', message: 'expected a string' }]);
    return parsed;
  }

  #store(id: string, document: IntegrationDocument, revision: number): Integration {
    const integration = { ...full.integration, id, document: masked(document), revision };
    this.stored.set(id, integration);
    return integration;
  }
}

function masked(document: IntegrationDocument): IntegrationDocument {
  return JSON.parse(JSON.stringify(document, (key, value) => (key === 'password' ? '[secret]' : value)));
}
