import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepDeclared, readDeclared, storeDeclared, withoutDeclared } from '../../functions/declared';
import type { IntegrationDocument } from '../../lib/core/integration';
import { Home } from '../unit/engine/home';

const document: IntegrationDocument = {
  name: 'shop',
  type: 'memory',
  connection: {},
  sync_settings: { schedule: '0 2 * * *' },
};
const declared = new Map([['shop', document]]);

describe('declared integrations', () => {
  const start = () => {
    const { service } = new Home().engine();
    return { service, kept: keepDeclared(service, declared) };
  };

  it('are read from the file beside the code, and are none without it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'explorerio-declared-'));
    expect(readDeclared(folder).size).toBe(0);
    writeFileSync(join(folder, 'declared.json'), JSON.stringify([document]));
    expect(readDeclared(folder)).toEqual(declared);
    rmSync(folder, { recursive: true });
  });

  it('are stored as the files say, changed only where they differ, and stay paused', async () => {
    const { service, kept } = start();
    for (let time = 0; time < 2; time++) await storeDeclared(service, declared);
    const { revision } = await service.get('shop');
    await kept.update('shop', { ...document, enabled: false }, undefined);
    await storeDeclared(service, declared);
    expect((await service.get('shop')).revision).toBe(revision + 1);
    const next = { ...document, sync_settings: { schedule: '0 3 * * *' } };
    await storeDeclared(service, new Map([['shop', next]]));
    expect((await service.get('shop')).document).toEqual({ ...next, enabled: false });
  });

  it('can neither be changed nor removed, and others can', async () => {
    const { service, kept } = start();
    await storeDeclared(service, declared);
    const changed = { ...document, sync_settings: {} };
    await expect(kept.update('shop', changed, undefined)).rejects.toMatchObject({ code: 'declared_in_file' });
    await expect(kept.remove('shop', { data: true })).rejects.toMatchObject({ code: 'declared_in_file' });
    await kept.create({ ...document, name: 'other' });
    await kept.remove('other', { data: false });
    expect((await kept.list()).map(({ id }) => id)).toEqual(['shop']);
  });

  it('have schedules that are not made a second time, and tell the next of their own', async () => {
    const made: string[] = [];
    const scheduler = withoutDeclared(
      {
        set: async ({ integration }) => void made.push(integration),
        remove: async (integration) => void made.push(`no ${integration}`),
        list: async () => [],
        next: async () => 1,
      },
      declared,
    );
    for (const integration of ['shop', 'other']) {
      await scheduler.set({ integration, cron: '* * * * *', timeZone: 'UTC' });
      await scheduler.remove(integration);
    }
    expect(made).toEqual(['other', 'no other']);
    expect(await scheduler.next('other', 0)).toBe(1);
    expect(await scheduler.next('shop', Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 1, 2));
  });
});
