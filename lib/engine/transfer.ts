import * as z from 'zod';
import { Fault } from '../core/fault';
import type { StateStore } from '../core/ports';
import { create, json, list, read, update } from './records';
import { type IntegrationItem, keys } from './state';

const entrySchema = z.strictObject({
  integration: z.string().min(1),
  document: z.record(z.string(), z.json()),
  created_at: z.string(),
  /** Encoded stream to the newest fence: a home that began at 1 would be refused by the destination. */
  fences: z.record(z.string(), z.int().min(0)),
  /** Encoded stream to the load that was filled last, so that its remains are removed. */
  loads: z.record(z.string(), z.json()),
});
const fileSchema = z.strictObject({ format: z.literal(1), integrations: z.array(entrySchema) });

/**
 * What another home needs to go on where this one stands, beside the destination, which keeps the positions itself:
 * documents, fences and unfinished loads. Runs stay behind. Secrets that are written into documents are in it.
 */
export type StateExport = z.output<typeof fileSchema>;

/** Reads it from a home in which nothing runs. @throws Fault `config`/`run_active` */
export async function exportState(state: StateStore): Promise<StateExport> {
  const active = await list<string>(state, 'active');
  const [running] = active;
  if (running !== undefined) {
    throw new Fault('config', 'run_active', `exporting the state: ${running.key.sort} is being synced`, {
      hint: `Wait for run ${running.value}, or cancel it.`,
      run: running.value,
    });
  }
  const integrations: StateExport['integrations'] = [];
  for (const { key, value } of await list<IntegrationItem>(state, keys.integrations)) {
    integrations.push({
      integration: key.sort,
      document: value.document as StateExport['integrations'][number]['document'],
      created_at: value.createdAt,
      fences: bySort(await list<number>(state, keys.fences(key.sort))),
      loads: bySort(await list<z.core.util.JSONType>(state, keys.loads(key.sort))),
    });
  }
  return { format: 1, integrations };
}

/**
 * Writes it into a home that has none of the integrations, or all of it again after an interruption. Gives their names.
 * @throws Fault `config`/`invalid_export`, `config`/`already_exists`; then nothing was written.
 */
export async function importState(state: StateStore, input: unknown, now: string): Promise<readonly string[]> {
  const parsed = fileSchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Fault('config', 'invalid_export', `importing the state: ${issue?.path.join('.')}: ${issue?.message}`, {
      hint: 'Give a file that "explorerio state export" wrote.',
    });
  }
  const { integrations } = parsed.data;
  for (const { integration, document } of integrations) {
    const stored = await read<IntegrationItem>(state, keys.integration(integration));
    if (stored === undefined || JSON.stringify(stored.value.document) === JSON.stringify(document)) continue;
    throw new Fault('config', 'already_exists', `importing the state: there is another ${integration} already`, {
      hint: 'Remove it there first (its data stays unless you ask), or leave it out of the file.',
    });
  }
  for (const entry of integrations) await importOne(state, entry, now);
  return integrations.map(({ integration }) => integration);
}

/** The integration comes last: until then nobody can start what is only half there. */
async function importOne(
  state: StateStore,
  { integration, document, created_at, fences, loads }: StateExport['integrations'][number],
  now: string,
): Promise<void> {
  for (const [sort, fence] of Object.entries(fences)) {
    const key = { partition: keys.fences(integration), sort };
    await update<number>(state, key, (current = 0) => (current < fence ? fence : undefined));
  }
  for (const [sort, load] of Object.entries(loads)) {
    await create(state, { partition: keys.loads(integration), sort }, load);
  }
  const item: IntegrationItem = { document, createdAt: created_at, updatedAt: now };
  await create(state, keys.integration(integration), json(item));
}

function bySort<T>(items: readonly { readonly key: { readonly sort: string }; readonly value: T }[]): {
  [sort: string]: T;
} {
  return Object.fromEntries(items.map(({ key, value }) => [key.sort, value]));
}
