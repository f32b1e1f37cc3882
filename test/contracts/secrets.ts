import { setTimeout } from 'node:timers/promises';
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

    it('gives the current value of a secret that was changed, once a server has refused the one before', async () => {
      const { secrets, change } = fixture;
      const value = async () => (await secrets.get('OTHER'))?.reveal();
      expect(await value()).toBe('other-value');
      await change('OTHER', 'changed-value');
      secrets.refresh?.('OTHER');
      expect([await value(), await value()]).toEqual(['changed-value', 'changed-value']);
      expect((await secrets.get('DB_PASSWORD'))?.reveal()).toBe('hunter2 "#$');
    });

    it('has nothing to refresh and no next value of a name that it does not know', async () => {
      fixture.secrets.refresh?.('UNKNOWN');
      expect(await fixture.secrets.pending?.('UNKNOWN')).toBeUndefined();
      expect(await fixture.secrets.get('UNKNOWN')).toBeUndefined();
    });

    it('says where a secret is and when it was changed, as far as that is known', async () => {
      const { secrets, change } = fixture;
      if (secrets.about === undefined) return;
      const before = await secrets.about('OTHER');
      expect(before).toMatchObject({ store: expect.any(String) });
      expect(await secrets.about('UNKNOWN')).toBeUndefined();
      if (before?.changedAt === undefined) return;
      expect(Math.abs(before.changedAt - Date.now())).toBeLessThan(600_000);
      const untouched = await secrets.about('DB_PASSWORD');
      await setTimeout(5);
      await change('OTHER', 'changed-value');
      secrets.refresh?.('OTHER');
      expect((await secrets.about('OTHER'))?.changedAt).toBeGreaterThanOrEqual(before.changedAt);
      expect(await secrets.about('DB_PASSWORD')).toEqual(untouched);
    });

    it('has no next value of a secret that nobody is rotating', async () => {
      expect(await fixture.secrets.pending?.('OTHER')).toBeUndefined();
    });
  });
}
