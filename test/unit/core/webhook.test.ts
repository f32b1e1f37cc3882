import { createHmac } from 'node:crypto';
import { webhookPath } from '../../../lib/core/webhook-endpoint';
import { isSignatureOf, readSignature, type SignatureHeaders, signWebhook } from '../../../lib/core/webhook-signature';

const KEY = 'key of the webhook';
const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 700);
const SECONDS = Math.floor(NOW / 1000);
/** Is no UTF-8. */
const BODY = Uint8Array.from([0, 0xff, 0xfe, 0x7b, 0x0d, 0x0a]);

const hmac = (prefix: string, body: Uint8Array, key = KEY) =>
  createHmac('sha256', key)
    .update(Buffer.concat([Buffer.from(prefix), body]))
    .digest('hex');
const own = (seconds: number, body = BODY, key = KEY) => `t=${seconds},v1=${hmac(`${seconds}.`, body, key)}`;
const hub = (body = BODY, key = KEY) => `sha256=${hmac('', body, key)}`;

function isRight(headers: SignatureHeaders, body = BODY, key = KEY): boolean {
  const signature = readSignature(headers, NOW);
  return signature !== undefined && isSignatureOf(signature, body, key);
}

describe('the signature of a webhook', () => {
  it('is right in both forms, over the bytes as they are', () => {
    expect(isRight({ signature: own(SECONDS) })).toBe(true);
    expect(isRight({ signature: own(SECONDS).toUpperCase().replace('T=', 't=').replace('V1=', 'v1=') })).toBe(true);
    expect(isRight({ hubSignature: hub() })).toBe(true);
    expect(isRight({ hubSignature: hub(new Uint8Array()) }, new Uint8Array())).toBe(true);
  });

  it('is that of webhooks that are sent', () => {
    expect(signWebhook(BODY, KEY, NOW)).toBe(own(SECONDS));
    expect(isRight({ signature: signWebhook('{"é":1}', KEY, NOW) }, Buffer.from('{"é":1}'))).toBe(true);
  });

  it('is wrong for another body or key', () => {
    const other = Uint8Array.from([...BODY, 0]);
    for (const headers of [{ signature: own(SECONDS) }, { hubSignature: hub() }]) {
      expect(isRight(headers, other)).toBe(false);
      expect(isRight(headers, BODY, `${KEY} `)).toBe(false);
      expect(isRight(headers, BODY, '')).toBe(false);
    }
  });

  it('of an empty key is never right', () => {
    expect(isRight({ hubSignature: hub(BODY, '') }, BODY, '')).toBe(false);
    expect(isRight({ signature: own(SECONDS, BODY, '') }, BODY, '')).toBe(false);
  });

  it.each([
    [-301, false],
    [-299, true],
    [300, true],
    [302, false],
  ])('made %d s from now is right: %s', (seconds, expected) => {
    expect(isRight({ signature: own(SECONDS + seconds) })).toBe(expected);
  });

  it('is bound to its time', () => {
    expect(isRight({ signature: own(SECONDS).replace(`t=${SECONDS}`, `t=${SECONDS + 1}`) })).toBe(false);
    expect(isRight({ signature: `t=${SECONDS},v1=${hmac('', BODY)}` })).toBe(false);
  });

  it('of our own form alone counts where both are given', () => {
    expect(isRight({ signature: own(SECONDS - 600), hubSignature: hub() })).toBe(false);
    expect(isRight({ signature: own(SECONDS), hubSignature: 'sha256=00' })).toBe(true);
  });

  const hex = hmac(`${SECONDS}.`, BODY);
  const malformed: SignatureHeaders[] = [
    {},
    { signature: '' },
    { signature: hex },
    { signature: `v1=${hex},t=${SECONDS}` },
    { signature: `t=${SECONDS}, v1=${hex}` },
    { signature: `t=${SECONDS},v1=${hex.slice(2)}` },
    { signature: `t=${SECONDS},v1=${hex}00` },
    { signature: `t=${SECONDS},v1=${hex.replace(/^./, 'g')}` },
    { signature: `t=-${SECONDS},v1=${hex}` },
    { signature: `t=1e9,v1=${hex}` },
    { signature: `t=${SECONDS},v1=${hex},v1=${hex}` },
    { signature: `t=${SECONDS},v1=${hex}\n` },
    { hubSignature: hmac('', BODY) },
    { hubSignature: `sha1=${hmac('', BODY).slice(0, 40)}` },
    { hubSignature: `sha256=${hmac('', BODY)}, sha256=${hmac('', BODY)}` },
  ];
  it.each(malformed)('of another form is none: %j', (headers) => {
    expect(readSignature(headers, NOW)).toBeUndefined();
  });
});

describe('the path of an endpoint', () => {
  const LONG = 'a'.repeat(200);
  it.each([
    ['https://explorerio.company.com/webhooks/data-update', '/webhooks/data-update'],
    ['https://explorerio.company.com:8443/webhooks/a/B.c_d~e-1/2', '/webhooks/a/B.c_d~e-1/2'],
    ['HTTPS://EXPLORERIO.COMPANY.COM/webhooks/x', '/webhooks/x'],
    ['http://127.0.0.1:8080/webhooks/x', '/webhooks/x'],
    ['http://localhost/webhooks/x', '/webhooks/x'],
    ['http://[::1]:8080/webhooks/x', '/webhooks/x'],
    [`https://a.example/webhooks/${LONG}`, `/webhooks/${LONG}`],
  ])('%s', (endpoint, path) => {
    expect(webhookPath(endpoint)).toBe(path);
  });

  it.each([
    '',
    'data-update',
    '/webhooks/data-update',
    'http://a.example/webhooks/x',
    'http://127.0.0.1.a.example/webhooks/x',
    'ftp://127.0.0.1/webhooks/x',
    'https://a.example',
    'https://a.example/webhooks',
    'https://a.example/webhooks/',
    'https://a.example/webhooks/x/',
    'https://a.example/webhooks//x',
    'https://a.example/api/webhooks/x',
    'https://a.example/Webhooks/x',
    'https://a.example/webhooks/x y',
    'https://a.example/webhooks/x%2Fy',
    'https://a.example/webhooks/é',
    'https://a.example/webhooks/x?',
    'https://a.example/webhooks/x?y=1',
    'https://a.example/webhooks/x#',
    'https://a.example/webhooks/x#y',
    'https://u@a.example/webhooks/x',
    'https://u:p@a.example/webhooks/x',
    'https://a.example/webhooks/a/../b',
    'https://a.example/webhooks/./b',
    'https://a.example/webhooks/x ',
    ' https://a.example/webhooks/x',
    'https://a.exa\nmple/webhooks/x',
    `https://a.example/webhooks/${LONG}a`,
  ])('is none: %s', (endpoint) => {
    expect(webhookPath(endpoint)).toBeUndefined();
  });
});
