import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepDeclared, readDeclared, storeDeclared, storeOnce, withoutDeclared } from '../../functions/declared';
import { Fault } from '../../lib/core/fault';
import type { IntegrationDocument } from '../../lib/core/integration';
import { silentLog } from '../memory/scheduler';
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

  it('are stored by many functions at the same time, by each once', async () => {
    const { service } = start();
    let asked = 0;
    const counted = { ...service, list: () => [service.list(), asked++][0] as ReturnType<typeof service.list> };
    const stores = Array.from({ length: 5 }, () => storeOnce(counted, declared, silentLog));
    await Promise.all(stores.map((store) => store()));
    await Promise.all(stores.map((store) => store()));
    expect((await service.list()).map(({ id, revision }) => [id, revision])).toEqual([['shop', 1]]);
    expect(asked).toBe(5);
  });

  it('are stored at the next call when the first one fails, which is only logged', async () => {
    const { service } = start();
    let failures = 1;
    const failing: typeof service = {
      ...service,
      list: async () => {
        if (failures-- > 0) throw new Fault('transient', 'throttled', 'too many requests');
        return service.list();
      },
    };
    const warned: string[] = [];
    const store = storeOnce(failing, declared, { ...silentLog, warn: (text) => void warned.push(text) });
    await store();
    expect([await service.list(), warned.length]).toEqual([[], 1]);
    await store();
    expect((await service.list()).map(({ id }) => id)).toEqual(['shop']);
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
