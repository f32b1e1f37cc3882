import { createHash } from 'node:crypto';
import type * as z from 'zod';
import * as answers from '../../lib/api/answers';
import * as about from '../../lib/api/answers-about';
import * as quarantine from '../../lib/api/answers-quarantine';
import type { OpenApiDocument } from '../../lib/api/openapi';
import { OPERATIONS } from '../../lib/api/operations';
import { PROBLEMS } from '../../lib/api/problem-codes';
import * as alerts from '../../lib/api/routes/alerts';
import { SALES, startApi } from './client';

type Node = { readonly [key: string]: unknown };

async function readDocument(): Promise<OpenApiDocument> {
  return (await startApi().call('GET', '/api/openapi.json')).body;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Node);
  for (const item of Object.values(value)) walk(item, visit);
}

function resolves(document: unknown, reference: string): boolean {
  let node = document;
  for (const part of reference.slice(2).split('/')) node = (node as Node | undefined)?.[part];
  return reference.startsWith('#/') && node !== undefined;
}

describe('the OpenAPI document', () => {
  it('is version 3.1 with the version of the program', async () => {
    const document = await readDocument();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'ExplorerIO API', version: '9.8.7' } });
  });

  it('has every route of the app, and the app every route of it', async () => {
    const { app } = startApi();
    const document = await readDocument();
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{\.\+\})?/g, '{$1}')}`);
    expect(described.sort()).toEqual(served.sort());
    expect(described.length).toBeGreaterThan(25);
  });

  it('refers only to what is there', async () => {
    const document = await readDocument();
    const references: string[] = [];
    walk(document, (node) => typeof node.$ref === 'string' && references.push(node.$ref));
    expect(references).toContain('#/components/schemas/IntegrationDocument_postgresql/$defs/connectionSettings');
    expect(references.filter((reference) => !resolves(document, reference))).toEqual([]);
  });

  it('has what OpenAPI demands of every operation', async () => {
    const document = await readDocument();
    const ids = new Set<unknown>();
    walk(document.paths, (node) => {
      if (node.operationId === undefined) return;
      expect(ids.has(node.operationId)).toBe(false);
      ids.add(node.operationId);
      expect(node).toMatchObject({ summary: expect.any(String), tags: [expect.any(String)] });
      expect(Object.keys(node.responses as Node).every((status) => /^[1-5]\d\d$/.test(status))).toBe(true);
      walk(node.responses, (answer) => 'content' in answer && expect(answer.description).toEqual(expect.any(String)));
    });
    for (const [path, item] of Object.entries(document.paths)) {
      const expected = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(item) as Node[]) {
        const parameters = (operation.parameters ?? []) as Node[];
        expect(parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(expected);
        for (const parameter of parameters) {
          expect(parameter).toMatchObject({ description: expect.any(String), schema: { type: expect.any(String) } });
        }
      }
    }
  });

  it('describes query, headers, bodies and problems', async () => {
    const { paths } = await readDocument();
    const sync = paths['/api/integrations/{id}/sync']?.post as Node;
    expect(JSON.stringify(sync.parameters)).toMatch(/"when_running".*"refuse","queue".*"Idempotency-Key"/);
    expect(Object.keys(sync.responses as Node)).toEqual(
      expect.arrayContaining(['200', '202', '404', '409', '415', '422', '429', '500', '503']),
    );
    expect(JSON.stringify((sync.responses as Node)['409'])).toContain('application/problem+json');
    const runs = paths['/api/integrations/{id}/runs']?.get as Node;
    expect(JSON.stringify(runs.parameters)).toMatch(/"limit".*"default":50.*"minimum":1/);
    const call = paths['/webhooks/{path}']?.post as Node;
    expect(call.security).toEqual([]);
    expect(JSON.stringify(call.parameters)).toMatch(/x-explorerio-signature.*x-hub-signature-256.*Idempotency-Key/);
    expect(Object.keys(call.responses as Node)).toEqual([
      '202',
      '400',
      '401',
      '404',
      '409',
      '413',
      '422',
      '429',
      '500',
      '503',
    ]);
    expect(JSON.stringify(call.requestBody)).toContain('"*/*":{"schema":{"type":"string","format":"binary"}}');
    const patch = paths['/api/integrations/{id}']?.patch as Node;
    expect(JSON.stringify(patch.requestBody)).toContain('application/merge-patch+json');
  });
});

/** What is sent to routes that do not take an empty body. */
const BODIES: { readonly [path: string]: object } = {
  '/api/integrations': { ...SALES, name: 'other' },
  '/api/alerts/mutes': { until: '2026-01-01T00:00:00Z' },
  '/api/integrations/{id}/quarantine/{record}': { fields: { eMail: 'a@b.example' } },
};

describe('answers', () => {
  const schemas: [string, string, z.ZodType, unknown?][] = [
    ['POST', '/api/integrations', answers.integration, { ...SALES, name: 'second' }],
    ['GET', '/api/integrations', answers.integrationList],
    ['GET', '/api/integrations/sales', answers.integration],
    ['PUT', '/api/integrations/sales', answers.integration, SALES],
    ['PATCH', '/api/integrations/sales', answers.integration, {}],
    ['POST', '/api/integrations/sales/sync', answers.run, {}],
    ['GET', '/api/integrations/sales/status', answers.status],
    ['GET', '/api/integrations/sales/runs?limit=2', answers.runList],
    ['GET', '/api/integrations/sales/quarantine', quarantine.quarantineList],
    ['GET', '/api/integrations/sales/quarantine/7', quarantine.quarantinedRecord],
    [
      'PATCH',
      '/api/integrations/sales/quarantine/7',
      quarantine.quarantinedRecord,
      { fields: { eMail: 'a@b.example' } },
    ],
    ['POST', '/api/integrations/sales/quarantine/replay', quarantine.replayResult, {}],
    ['GET', '/api/runs/run-1', answers.runDetails],
    ['POST', '/api/runs/run-1/cancel', answers.run],
    ['POST', '/api/runs/redrive', answers.redriveList],
    ['POST', '/webhooks/data-update', answers.webhookRuns, {}],
    ['POST', '/api/integrations/sales/schema/accept', answers.acceptedSchema, {}],
    ['GET', '/api/alerts', alerts.alertList],
    ['GET', '/api/integrations/sales/alerts', alerts.alertHistory],
    ['POST', '/api/integrations/sales/alerts/data-staleness/acknowledge', answers.alert, {}],
    ['GET', '/api/alerts/mutes', alerts.muteList],
    ['GET', '/api/search?q=main', about.searchResult],
    ['GET', '/api/nothing', answers.problem],
    ['POST', '/api/integrations', answers.problem, {}],
    ['POST', '/api/integrations/sales/test', about.checkReport],
    ['GET', '/api/integrations/sales/streams', about.streamList],
    ['GET', '/api/integrations/sales/plan', about.plan],
    ['POST', '/api/validate', about.validation, SALES],
    ['POST', '/api/check', about.checkReport, SALES],
    ['POST', '/api/discover', about.streamList, SALES],
    ['POST', '/api/plan', about.plan, SALES],
    ['GET', '/api/integrations/health', about.health],
    ['GET', '/api/integrations/stats', about.stats],
    ['GET', '/api/credentials', about.credentialList],
    ['GET', '/api/connectors', about.connectorList],
    ['GET', '/', about.about],
    ['GET', '/healthz', about.liveness],
  ];

  it.each(schemas.map(([method, path, schema, body]) => [method, path, schema, body] as const))(
    '%s %s is what its schema says, no field more or less',
    async (method, path, schema, body) => {
      const { call } = startApi();
      await call('POST', '/api/integrations', SALES);
      const answer = await call(method, path, body);
      // Unknown keys are dropped by parsing, so that a field that the schema does not have shows as a difference.
      expect(schema.parse(answer.body)).toEqual(answer.body);
    },
  );

  it('and the statuses are those that the operation declares', async () => {
    const { call } = startApi();
    await call('POST', '/api/integrations', SALES);
    for (const { method, path, body, answers: declared } of OPERATIONS) {
      if (method === 'delete') continue;
      const target = path
        .replace('{id}', 'sales')
        .replace('{run}', 'run-1')
        .replace('{record}', '7')
        .replace('{alert}', 'data-staleness')
        .replace(/search$/, '$&?q=main');
      const sent = BODIES[path] ?? (body?.schema === 'document' ? SALES : {});
      const { status } = await call(method.toUpperCase(), target, method === 'get' ? undefined : sent);
      expect([path, Object.keys(declared)]).toEqual([path, expect.arrayContaining([String(status)])]);
    }
  });
});

describe('the reference page', () => {
  it('shows every operation, every problem at its anchor, and every schema', async () => {
    const { call } = startApi();
    const { status, headers, text } = await call('GET', '/api/docs');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    for (const { id, path } of OPERATIONS) {
      expect(text).toContain(`id="${id}"`);
      expect(text).toContain(`<code>${path}</code>`);
    }
    for (const code of Object.keys(PROBLEMS)) expect(text).toContain(`id="${code}"`);
    const document = await readDocument();
    for (const name of Object.keys(document.components.schemas)) expect(text).toContain(`id="schema-${name}"`);
    const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor);
    expect(links.filter((anchor) => !text.includes(`id="${anchor}"`))).toEqual([]);
  });

  it('loads nothing, runs nothing, and its policy fits its style', async () => {
    const { call } = startApi();
    const { headers, text } = await call('GET', '/api/docs');
    expect(text).not.toMatch(/<script|<img|<link|<iframe|src=|url\(|@import|style="/);
    const style = /<style>(.*?)<\/style>/s.exec(text)?.[1] ?? '';
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(policy).not.toContain('unsafe');
  });

  it('escapes what connectors say', async () => {
    const { call, service } = startApi();
    const [info] = await service.connectors();
    const evil = '<script>alert("1")</script>';
    const schema = { type: 'object', properties: { [evil]: { type: evil, description: `x \`${evil}\`` } } };
    service.connectors = async () => [{ ...info, type: evil, title: evil, modes: [], schema }];
    const { text } = await call('GET', '/api/docs');
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(&quot;1&quot;)');
  });
});
