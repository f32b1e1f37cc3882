import * as z from 'zod';
import type { ChannelStatus } from '../../core/channel';
import type { IntegrationHealth } from '../../core/service';
import { answer } from '../answer';
import { connectorList, credentialList, health, stats } from '../answers-about';
import type { Operation } from '../operation';
import { PROMETHEUS_TYPE, prometheusText } from '../prometheus';

const WORST_FIRST = ['failed', 'degraded', 'healthy', 'unknown'] as const;

function overall(integrations: readonly IntegrationHealth[]): IntegrationHealth['status'] {
  return WORST_FIRST.find((status) => integrations.some((one) => one.status === status)) ?? 'unknown';
}

function isSilent({ state, usedBy, waiting }: ChannelStatus): boolean {
  return state === 'failing' || (state === 'missing' && (usedBy.length > 0 || waiting > 0));
}

/** Figures over all integrations, and what can be connected. */
export const overviewRoutes: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/integrations/health',
    id: 'getHealth',
    tag: 'Integrations',
    summary: 'Health of all integrations',
    answers: { 200: { description: 'What runs and connection tests have shown.', schema: health } },
    problems: [],
    async handle(c, { service }) {
      const [integrations, channels] = [await service.health(), await service.notificationChannels()];
      const silentChannels = channels.filter(isSilent);
      return answer(c, { status: overall(integrations), integrations, silentChannels });
    },
  },
  {
    method: 'get',
    path: '/api/integrations/stats',
    id: 'getStats',
    tag: 'Integrations',
    summary: 'Sync statistics of all integrations',
    answers: { 200: { description: 'Counts over the runs that are kept.', schema: stats } },
    problems: [],
    handle: async (c, { service }) => answer(c, { integrations: await service.stats() }),
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'Integrations',
    summary: 'All figures for Prometheus',
    description: 'Text format 0.0.4. What a document switches off under `metrics` is left out.',
    answers: { 200: { description: 'The figures.', schema: z.string(), mediaType: 'text/plain' } },
    problems: [],
    async handle(c, { service, version }) {
      const [integrations, channels] = [await service.figures(), await service.notificationChannels()];
      return c.body(prometheusText({ version, integrations, channels }), 200, { 'Content-Type': PROMETHEUS_TYPE });
    },
  },
  {
    method: 'get',
    path: '/api/credentials',
    id: 'listCredentials',
    tag: 'Integrations',
    summary: 'The credentials that documents refer to, and how old they are',
    description: 'Names, places and ages, never values. `rotation_policy` says how old they may become.',
    answers: { 200: { description: 'In the order of names.', schema: credentialList } },
    problems: [],
    handle: async (c, { service }) => answer(c, { credentials: await service.credentials() }),
  },
  {
    method: 'get',
    path: '/api/connectors',
    id: 'listConnectors',
    tag: 'About',
    summary: 'The types of system that can be connected, with the JSON Schema of their documents',
    answers: { 200: { description: 'All connectors.', schema: connectorList } },
    problems: [],
    handle: async (c, { service }) => answer(c, { connectors: await service.connectors() }),
  },
];
