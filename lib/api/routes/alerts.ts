import * as z from 'zod';
import { answer, pathParameter } from '../answer';
import { alert, alertChange, named } from '../answers';
import { readBody } from '../body';
import type { Operation } from '../operation';
import { readQuery } from '../query';

const MOST_CHANGES = 100;

const time = z.iso.datetime({ offset: true });
const by = z.string().min(1).max(200).meta({ description: 'Who it is.' }).optional();
const comment = z.string().min(1).max(1000).optional();

const historyQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MOST_CHANGES)
    .default(50)
    .meta({ description: 'How many changes of the history at most.' }),
});

const acknowledgeBody = named('AcknowledgeAlert', z.strictObject({ by, comment }));

const muteBody = named(
  'MuteAlerts',
  z.strictObject({
    integration: z.string().min(1).meta({ description: 'Only alerts of this integration.' }).optional(),
    alert: z.string().min(1).meta({ description: 'Only this one of the integration: its slug or name.' }).optional(),
    from: time.meta({ description: 'When it begins; now, by default.' }).optional(),
    until: time.meta({ description: 'When it ends, within a year.' }),
    by,
    comment,
  }),
);

const mute = named(
  'AlertMute',
  z.object({
    id: z.string(),
    integration: z.string().meta({ description: 'Absent: all of them.' }).optional(),
    alert: z.string().meta({ description: 'Slug of the one alert; absent: all of the integration.' }).optional(),
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    by: z.string().optional(),
    comment: z.string().optional(),
  }),
);

/** All alerts. */
export const alertList = named('AlertList', z.object({ alerts: z.array(alert) }));

/** The alerts of an integration, and what happened to them. */
export const alertHistory = named(
  'IntegrationAlerts',
  z.object({
    alerts: z.array(alert),
    history: z
      .array(alertChange)
      .meta({ description: 'Newest first; the last hundred changes of thirty days are kept.' }),
  }),
);

/** Times in which nobody is told. */
export const muteList = named('AlertMutes', z.object({ mutes: z.array(mute) }));

const IN_THE_CLOUD = 'In AWS alerts are alarms of CloudWatch, and this is refused (`config`).';

/** Alerts of integrations. `/api/alerts/mutes` stands for itself: nothing else is below `/api/alerts`. */
export const alertRoutes: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/alerts',
    id: 'listAlerts',
    tag: 'Alerts',
    summary: 'The alerts of all integrations, and how they stand',
    description: IN_THE_CLOUD,
    answers: { 200: { description: 'In the order of integrations and documents.', schema: alertList } },
    problems: ['config'],
    handle: async (c, { service }) => answer(c, { alerts: await service.alerts() }),
  },
  {
    method: 'get',
    path: '/api/integrations/{id}/alerts',
    id: 'getAlerts',
    tag: 'Alerts',
    summary: 'The alerts of an integration, and their history',
    description: IN_THE_CLOUD,
    query: historyQuery,
    answers: { 200: { description: 'How they stand, and what happened.', schema: alertHistory } },
    problems: ['not_found', 'config'],
    async handle(c, { service }) {
      const id = pathParameter(c, 'id');
      const { limit } = readQuery(c, historyQuery);
      return answer(c, { alerts: await service.alerts(id), history: await service.alertHistory(id, limit) });
    },
  },
  {
    method: 'post',
    path: '/api/integrations/{id}/alerts/{alert}/acknowledge',
    id: 'acknowledgeAlert',
    tag: 'Alerts',
    summary: 'Say that somebody looks after an alert that rings',
    description: `Nobody is reminded of it any more; its end is told. ${IN_THE_CLOUD}`,
    body: { schema: acknowledgeBody, description: 'Who, and what they say.', required: false },
    answers: { 200: { description: 'The alert.', schema: alert } },
    problems: ['not_found', 'config'],
    async handle(c, { service }) {
      const said = await readBody(c, acknowledgeBody);
      return answer(c, await service.acknowledgeAlert(pathParameter(c, 'id'), pathParameter(c, 'alert'), said));
    },
  },
  {
    method: 'get',
    path: '/api/alerts/mutes',
    id: 'listAlertMutes',
    tag: 'Alerts',
    summary: 'The times in which nobody is told of alerts',
    description: IN_THE_CLOUD,
    answers: { 200: { description: 'Those that go on or are to come.', schema: muteList } },
    problems: ['config'],
    handle: async (c, { service }) => answer(c, { mutes: await service.alertMutes() }),
  },
  {
    method: 'post',
    path: '/api/alerts/mutes',
    id: 'muteAlerts',
    tag: 'Alerts',
    summary: 'Mute alerts for some time',
    description: `State and history go on; what still rings when it ends is told then. ${IN_THE_CLOUD}`,
    body: { schema: muteBody, description: 'What, and how long.', required: true },
    answers: { 201: { description: 'It is muted.', schema: mute } },
    problems: ['not_found', 'invalid_config', 'config'],
    async handle(c, { service }) {
      return answer(c, await service.muteAlerts(await readBody(c, muteBody)), 201);
    },
  },
  {
    method: 'delete',
    path: '/api/alerts/mutes/{mute}',
    id: 'unmuteAlerts',
    tag: 'Alerts',
    summary: 'End a mute',
    description: IN_THE_CLOUD,
    answers: { 204: { description: 'It has ended.' } },
    problems: ['not_found', 'config'],
    async handle(c, { service }) {
      await service.unmuteAlerts(pathParameter(c, 'mute'));
      return c.body(null, 204);
    },
  },
];
