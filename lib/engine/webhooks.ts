import { Fault, toFault } from '../core/fault';
import type { Service, WebhookCall, WebhookRun } from '../core/service';
import { webhookPath } from '../core/webhook-endpoint';
import { HUB_SIGNATURE_HEADER, isSignatureOf, readSignature, SIGNATURE_HEADER } from '../core/webhook-signature';
import type { EngineContext } from './context';
import { checkDocument } from './document';
import { listIntegrations } from './integrations';
import type { Stored } from './records';
import type { IntegrationItem } from './state';
import { WebhookKeys, webhookOf } from './webhook-keys';
import { requestWebhookRun } from './webhook-runs';

type Called = Stored<IntegrationItem>;

/** What is asked for by signed calls. */
export function webhookService(context: EngineContext): Pick<Service, 'webhook'> {
  const webhookKeys = new WebhookKeys(context.ports);
  return { webhook: (call) => answerCall(context, webhookKeys, call) };
}

async function answerCall(
  context: EngineContext,
  webhookKeys: WebhookKeys,
  call: WebhookCall,
): Promise<readonly WebhookRun[]> {
  const called = (await listIntegrations(context)).filter(({ value }) => isAt(value, call.path));
  if (called.length === 0) throw unknownPath();
  const signed = await signedBy(context, webhookKeys, called, call);
  if (signed.length === 0) throw notSigned();
  const enabled = signed.filter(({ value }) => value.document.enabled !== false);
  if (enabled.length === 0) throw paused(signed);
  return startAll(context, enabled, call.idempotencyKey);
}

function isAt({ document }: IntegrationItem, path: string): boolean {
  const endpoint = webhookOf(document)?.endpoint;
  return endpoint !== undefined && webhookPath(endpoint) === path;
}

/** The integrations whose secret has made the signature. Secrets are read only for a signature that may be right. */
async function signedBy(
  { ports }: EngineContext,
  webhookKeys: WebhookKeys,
  called: readonly Called[],
  call: WebhookCall,
): Promise<readonly Called[]> {
  const signature = readSignature(call, ports.clock.now());
  if (signature === undefined) return [];
  const isKey = (key: string) => isSignatureOf(signature, call.body, key);
  const found = await Promise.all(called.map(({ value }) => webhookKeys.isKeyOf(value.document, isKey)));
  return called.filter((_, index) => found[index]);
}

/**
 * Starts what can be started. What cannot be now has the whole call come again, which joins the runs that wait; what
 * will not be possible is told to the owner, and to the caller where nothing else was started.
 */
async function startAll(
  context: EngineContext,
  enabled: readonly Called[],
  idempotencyKey: string | undefined,
): Promise<readonly WebhookRun[]> {
  const runs: WebhookRun[] = [];
  const faults: Fault[] = [];
  for (const { key, value } of enabled) {
    const integration = key.sort;
    try {
      await checkDocument(value.document, context.ports.loadConnector);
      const { run, joined } = await requestWebhookRun(context, integration, value, idempotencyKey);
      runs.push({ integration, run: run.id, state: run.state, joined });
    } catch (error) {
      const fault = toFault(error, `starting a sync of ${integration}`);
      context.ports.log.warn('a call of a webhook started no sync', { integration, fault: fault.message });
      faults.push(fault);
    }
  }
  const [fault] = [...faults.filter(({ kind }) => kind === 'transient'), ...(runs.length === 0 ? faults : [])];
  if (fault) throw fault;
  return runs;
}

function unknownPath(): Fault {
  return new Fault('config', 'not_found', 'calling a webhook: no integration has an endpoint with this path', {
    hint: 'Call the path of webhook_config.endpoint of an integration.',
  });
}

function notSigned(): Fault {
  const expected = `${SIGNATURE_HEADER} (t=SECONDS,v1=HEX) or ${HUB_SIGNATURE_HEADER} (sha256=HEX)`;
  return new Fault('config', 'signature_invalid', `calling a webhook: expected a valid signature in ${expected}`, {
    hint: 'Sign the bytes of the body with HMAC-SHA256 and the secret of the webhook; docs/webhooks.md shows how.',
  });
}

function paused(signed: readonly Called[]): Fault {
  const names = signed.map(({ key }) => key.sort).join(', ');
  return new Fault('config', 'integration_disabled', `calling a webhook: paused: ${names}`, {
    hint: 'Set enabled to true to have it synced; call again then.',
  });
}
