import { inspect } from 'node:util';
import type { Secrets } from '../../lib/core/ports';

/** Makes secrets of the given names and values. */
export interface SecretsFixture {
  readonly secrets: Secrets;
  change(name: string, value: string): Promise<void>;
  close(): Promise<void>;
}

/** The sentences of the secrets port, as tests. */
export function describeSecrets(
  name: string,
  open: (values: { readonly [name: string]: string }) => Promise<SecretsFixture>,
): void {
  describe(`secrets: ${name}`, () => {
    let fixture: SecretsFixture;

    beforeEach(async () => {
      fixture = await open({ DB_PASSWORD: 'hunter2 "#$', OTHER: 'other-value' });
    });
    afterEach(async () => fixture?.close());

    it('gives a value, hidden unless it is asked for', async () => {
      const secret = await fixture.secrets.get('DB_PASSWORD');
      expect(secret?.reveal()).toBe('hunter2 "#$');
      expect(`${secret} ${JSON.stringify({ secret })} ${inspect(secret)}`).not.toContain('hunter2');
    });

    it.each(['UNKNOWN', 'db_password', 'toString', '__proto__', ''])('has none of the name %j', async (unknown) => {
      expect(await fixture.secrets.get(unknown)).toBeUndefined();
    });

    it('gives the current value', async () => {
      await fixture.change('OTHER', 'changed-value');
      expect((await fixture.secrets.get('OTHER'))?.reveal()).toBe('changed-value');
    });
  });
}
