import * as z from 'zod';
import { answer } from '../answer';
import { channelList, named, testOutcomes } from '../answers';
import { readBody } from '../body';
import type { Operation } from '../operation';

const testBody = named(
  'TestNotification',
  z.strictObject({
    channel: z.string().min(1).meta({ description: 'One channel; all that are configured, by default.' }).optional(),
  }),
);

/** The channels on which people are told. */
export const notificationRoutes: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/notifications/channels',
    id: 'listNotificationChannels',
    tag: 'Notifications',
    summary: 'How the channels of notifications stand',
    description: 'Those of this home, configured or not, and those that documents name.',
    answers: { 200: { description: 'The channels.', schema: channelList } },
    problems: [],
    handle: async (c, { service }) => answer(c, { channels: await service.notificationChannels() }),
  },
  {
    method: 'post',
    path: '/api/notifications/test',
    id: 'testNotification',
    tag: 'Notifications',
    summary: 'Send a test message',
    description: 'At once, past what waits. What went wrong is in the outcome of each channel.',
    body: { schema: testBody, description: 'Which channel.', required: false },
    answers: { 200: { description: 'What became of it, by channel.', schema: testOutcomes } },
    problems: ['not_found'],
    async handle(c, { service }) {
      const { channel } = await readBody(c, testBody);
      return answer(c, { outcomes: await service.testNotification(channel) });
    },
  },
];
