import { SlackNotifier } from '../../../../lib/adapters/embedded/notify/slack';
import { Secret } from '../../../../lib/core/secret';
import { systemClock } from '../../../../lib/core/system-clock';
import { guardedNetwork } from '../../../../lib/network/guard';
import { describeNotifier } from '../../../contracts/notifier';
import { startReceiver } from './http-receiver';

const network = guardedNetwork(undefined);

interface Text {
  readonly type: string;
  readonly text: string;
}

interface Message {
  readonly text: string;
  readonly blocks: readonly { readonly type: string; readonly text?: Text; readonly fields?: readonly Text[] }[];
}

/** What Slack's documentation says about blocks; it refuses the whole message otherwise. */
function checkLimits({ text, blocks }: Message): void {
  expect(text.length).toBeLessThan(4000);
  expect(text).not.toMatch(/<[!@#]/);
  expect(blocks.length).toBeLessThanOrEqual(50);
  for (const { type, text: own, fields = [] } of blocks) {
    expect(['header', 'section']).toContain(type);
    expect(own === undefined).toBe(fields.length > 0);
    expect(own?.text.length ?? 1).toBeLessThanOrEqual(type === 'header' ? 150 : 3000);
    expect(fields.length).toBeLessThanOrEqual(10);
    for (const part of [...(own ? [own] : []), ...fields]) {
      expect(part.type).toBe('plain_text');
      expect(part.text.trim()).not.toBe('');
      expect(part.text.length).toBeLessThanOrEqual(type === 'section' && own === undefined ? 2000 : 3000);
    }
  }
}

describeNotifier('Slack', async () => {
  const receiver = await startReceiver();
  const url = new Secret(`${receiver.url}/services/T000/B000/secret-path`);
  return {
    notifier: new SlackNotifier({ url, clock: systemClock, network, timeoutMs: 300 }),
    async receive() {
      const { body, headers } = receiver.take();
      const message = JSON.parse(body.toString('utf8')) as Message;
      checkLimits(message);
      const texts = message.blocks.flatMap(({ text, fields = [] }) => [...(text ? [text] : []), ...fields]);
      return {
        subject: message.blocks[0]?.text?.text ?? '',
        text: texts.map(({ text }) => text).join('\n'),
        headers: Object.keys(headers),
      };
    },
    trouble: receiver.trouble,
    secrets: ['secret-path', 'T000', 'B000'],
    saysHowLong: true,
    close: () => receiver.down(),
  };
});
