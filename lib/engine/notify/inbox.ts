import type { AlertFields } from '../../core/alert/rule';
import type { Json } from '../../core/json';
import { fitted, type Notification } from '../../core/notification';
import type { Clock, StateStore } from '../../core/ports';
import { redacted } from '../../core/redacted';
import type { Redactor } from '../../core/secret';
import { create, read } from '../records';
import { type IntegrationItem, keys } from '../state';
import { hashOf, type InboxItem, notifyKeys, TEXT_BYTES } from './outbox';

/** What storing a notification needs. */
export interface InboxPorts {
  readonly state: StateStore;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Address of this home for people; a notification then links to what it is about. */
  readonly publicUrl?: string | undefined;
}

const FACTS_BYTES = 2048;

/** How many this process has stored. */
let stored = 0;

/** Stores a notification to be sent. One with an id that is known is dropped. */
export async function storeNotification(
  ports: InboxPorts,
  notification: Notification,
  channels: readonly string[] | undefined,
): Promise<void> {
  const { state, clock } = ports;
  const hash = hashOf(notification.id);
  if (await state.get(notifyKeys.told(hash))) return;
  const chosen = channels ?? (await channelsOfAlert(state, notification));
  const item: InboxItem = {
    notification: prepared(ports, notification),
    ...(chosen !== undefined && chosen.length > 0 && { channels: chosen }),
    at: clock.now(),
    order: ++stored,
  };
  await create(state, notifyKeys.waiting(hash), item);
}

/** Those that the document names for the alert that a notification is about. */
async function channelsOfAlert(
  state: StateStore,
  { integration, facts: { alert } }: Notification,
): Promise<readonly string[] | undefined> {
  if (integration === undefined || typeof alert !== 'string') return undefined;
  const item = await read<IntegrationItem>(state, keys.integration(integration));
  const alerts = (item?.value.document.alerts ?? []) as unknown as readonly AlertFields[];
  return alerts.find(({ name }) => name === alert)?.notification_channels;
}

/** As it may be stored and sent: without secrets, and of a size that many of it can wait together. */
function prepared({ redactor, publicUrl }: InboxPorts, notification: Notification): Notification {
  const plain = redacted(notification, redactor) as unknown as Notification;
  const { text, ...rest } = fitted(plain, TEXT_BYTES);
  const facts: { readonly [name: string]: Json } =
    Buffer.byteLength(JSON.stringify(rest.facts)) > FACTS_BYTES ? {} : rest.facts;
  const link = publicUrl && linkTo(publicUrl, notification);
  return { ...rest, facts, text: link ? `${text}\n\n${link}` : text };
}

function linkTo(publicUrl: string, { integration, run }: Notification): string | undefined {
  const base = publicUrl.replace(/\/+$/, '');
  if (run !== undefined) return `${base}/api/runs/${encodeURIComponent(run)}`;
  return integration === undefined ? undefined : `${base}/api/integrations/${encodeURIComponent(integration)}/status`;
}
