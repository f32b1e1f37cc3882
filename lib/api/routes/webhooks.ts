import { HUB_SIGNATURE_HEADER, SIGNATURE_HEADER } from '../../core/webhook-signature';
import { answer } from '../answer';
import { webhookRuns } from '../answers';
import { idempotencyKey } from '../idempotency';
import type { Operation } from '../operation';

/** What the paths of webhooks begin with. */
export const WEBHOOKS = '/webhooks/';

/** What others call when their data has changed. */
export const webhookRoutes: readonly Operation[] = [
  {
    method: 'post',
    path: `${WEBHOOKS}{path}`,
    hasRest: true,
    id: 'callWebhook',
    tag: 'Syncs and runs',
    summary: 'Say that the data of a source has changed',
    description:
      'Syncs every integration with this `webhook_config.endpoint` whose secret has made the signature. While a run goes on, one more waits for it; further calls join that one. No API key is needed.',
    headers: [
      {
        name: SIGNATURE_HEADER,
        description:
          '`t=SECONDS,v1=HEX`: the time in seconds since 1970, and the HMAC-SHA256 of that time, a dot and the body.',
      },
      {
        name: HUB_SIGNATURE_HEADER,
        description: '`sha256=HEX`, in its place: the HMAC-SHA256 of the body alone.',
      },
      { name: 'Idempotency-Key', description: 'Two calls with the same key start one run.' },
    ],
    body: {
      schema: 'bytes',
      description: 'Anything; it is signed, and not looked at.',
      required: false,
      mediaTypes: ['*/*'],
    },
    answers: { 202: { description: 'The runs that were started or wait.', schema: webhookRuns } },
    problems: ['not_found', 'signature_invalid', 'integration_disabled', 'invalid_config'],
    isSigned: true,
    async handle(c, { service }) {
      const [signature, hubSignature] = [SIGNATURE_HEADER, HUB_SIGNATURE_HEADER].map((name) => c.req.header(name));
      const key = idempotencyKey(c);
      const runs = await service.webhook({
        path: c.req.path,
        body: new Uint8Array(await c.req.arrayBuffer()),
        ...(signature !== undefined && { signature }),
        ...(hubSignature !== undefined && { hubSignature }),
        ...(key !== undefined && { idempotencyKey: key }),
      });
      return answer(c, { runs }, 202);
    },
  },
];
