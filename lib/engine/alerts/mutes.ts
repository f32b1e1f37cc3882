import type { AlertMute, MuteRequest } from '../../core/alert/alert';
import { invalidConfig } from '../../core/config';
import { Fault } from '../../core/fault';
import type { StateStore } from '../../core/ports';
import type { EngineContext } from '../context';
import { json, list, type Stored } from '../records';
import { isoTime } from '../views';
import { alertKeys, type MuteItem } from './item';

/** Longer ones are forgotten, and with them what they hide. */
const LONGEST_MUTE_MS = 366 * 86_400_000;
const MOST_MUTES = 1000;
const SUFFIXES = 36 ** 6;

/** Mutes, those that are still to begin included. */
export function listMutes(state: StateStore): Promise<Stored<MuteItem>[]> {
  return list<MuteItem>(state, alertKeys.mutes);
}

/** Until when an alert is muted; `undefined` when it is not. */
export function mutedUntil(
  mutes: readonly Stored<MuteItem>[],
  { integration, slug, now }: { readonly integration: string; readonly slug: string; readonly now: number },
): number | undefined {
  const ends = mutes.flatMap(({ value }) => {
    const isMeant = (value.integration ?? integration) === integration && (value.alert ?? slug) === slug;
    return isMeant && value.from <= now && now < value.until ? [value.until] : [];
  });
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** Stores a mute. `alert`: the slug of what is asked for. */
export async function addMute(
  context: EngineContext,
  { integration, from, until, by, comment }: MuteRequest,
  alert: string | undefined,
): Promise<AlertMute> {
  const { state, clock, random } = context.ports;
  const now = clock.now();
  const [begin, end] = [from === undefined ? now : Date.parse(from), Date.parse(until)];
  checkTimes(begin, end, now);
  if ((await listMutes(state)).length >= MOST_MUTES) {
    throw new Fault('config', 'too_many_mutes', `muting alerts: there are ${MOST_MUTES} mutes already`, {
      hint: 'Remove some: "explorerio alerts mutes" lists them. One mute can be for a whole integration, or for all.',
    });
  }
  const item: MuteItem = {
    ...(integration !== undefined && { integration }),
    ...(alert !== undefined && { alert }),
    from: begin,
    until: end,
    ...(by !== undefined && { by }),
    ...(comment !== undefined && { comment }),
  };
  const id = `${now.toString(36)}${Math.floor(random() * SUFFIXES)
    .toString(36)
    .padStart(6, '0')}`;
  await state.put(alertKeys.mute(id), json(item), 'absent', end);
  return viewMute(id, item);
}

function checkTimes(begin: number, end: number, now: number): void {
  if (end <= Math.max(begin, now))
    throw invalidConfig([{ path: 'until', message: 'must be later than now and "from"' }]);
  if (end - begin > LONGEST_MUTE_MS) throw invalidConfig([{ path: 'until', message: 'must be within a year' }]);
}

/** Ends a mute. @throws Fault `config`/`not_found` */
export async function removeMute({ ports: { state } }: EngineContext, id: string): Promise<void> {
  const key = alertKeys.mute(id);
  if ((await state.get(key)) !== undefined) {
    await state.delete(key);
    return;
  }
  throw new Fault('config', 'not_found', `ending the mute ${id}: there is none of this id`, {
    hint: 'It may have ended by itself. List the mutes to see their ids.',
  });
}

/** A mute as it is shown. */
export function viewMute(id: string, { from, until, ...rest }: MuteItem): AlertMute {
  return { id, ...rest, from: isoTime(from), until: isoTime(until) };
}
