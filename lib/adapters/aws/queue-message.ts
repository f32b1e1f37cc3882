import type { Message as SqsMessage } from '@aws-sdk/client-sqs';
import { encodeJson, LARGEST_MESSAGE } from '../../core/item-limits';
import type { Json } from '../../core/json';
import type { Delivery, Message } from '../../core/ports';
import type { Outgoing } from './queue-send';

const LONGEST_DELAY_S = 900;
// SQS takes the characters of XML only. JSON.stringify escapes the control characters and half surrogate pairs itself.
const REFUSED = /[\uFFFE\uFFFF]/g;

/** A message as SQS takes it. @throws Fault `bug`/`too_large` */
export function encodeMessage({ group, body, delayMs = 0 }: Message, hop: number | undefined): Outgoing {
  const text = encodeJson(withHop(body, hop), LARGEST_MESSAGE, 'sending messages');
  return {
    MessageBody: text.replace(REFUSED, (character) => `\\u${character.charCodeAt(0).toString(16)}`),
    MessageGroupId: group,
    DelaySeconds: Math.min(Math.max(Math.ceil(delayMs / 1000), 0), LONGEST_DELAY_S),
  };
}

/** A received message. A body that is no JSON, so that none of us has sent it, is given as text. */
export function decodeDelivery({ MessageId, Body = '', ReceiptHandle, Attributes }: SqsMessage): Delivery {
  return {
    id: MessageId ?? '',
    body: decodeBody(Body),
    receipt: ReceiptHandle ?? '',
    attempts: Number(Attributes?.ApproximateReceiveCount ?? 1),
  };
}

function decodeBody(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text; // a SyntaxError; failing here would also fail the messages beside it
  }
}

function withHop(body: Json, hop: number | undefined): Json {
  const continues = typeof body === 'object' && body !== null && !Array.isArray(body) && 'run' in body;
  return continues && hop !== undefined ? { ...body, hop: hop + 1 } : body;
}
