import { loadConnector } from '../../../lib/connectors';
import type { FieldIssue } from '../../../lib/core/fault';
import type { Json } from '../../../lib/core/json';
import { checkDocument } from '../../../lib/engine/document';
import { checkPipeline } from '../../../lib/pipeline/compile';
import { faultFrom } from './home';
import { INTEGRATIONS, SECTIONS } from './specification';

// Each example of the specification that this version serves, with one field misspelt, retyped, removed or out of range.

type Place = readonly (string | number)[];
type Members = { readonly [name: string]: Json };

const POSTGRESQL = INTEGRATIONS.find(({ type }) => type === 'postgresql') as unknown as Members;
/** Not served by the connector or the version. */
const LATER = new Set(['webhook_config', 'credential_store', 'sync_strategy[1]']);

const EXAMPLES: readonly (readonly [string, Members])[] = [
  ['the PostgreSQL document', POSTGRESQL],
  ...Object.entries(SECTIONS).flatMap(([section, examples]) =>
    (examples as readonly Json[]).flatMap((example, index): (readonly [string, Members])[] => {
      if (LATER.has(section) || LATER.has(`${section}[${index}]`)) return [];
      return [[section, { ...POSTGRESQL, [section]: example }]];
    }),
  ),
];

async function issuesOf(document: Json): Promise<readonly FieldIssue[]> {
  const fault = await faultFrom(checkDocument(document, loadConnector, { alarms: true, checkPipeline }));
  expect(fault).toMatchObject({ kind: 'config', code: expect.stringMatching(/^(invalid_config|unknown_type)$/) });
  return fault.issues ?? [];
}

function isMembers(node: Json): node is Members {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

/** Every place in a document, with what is there. */
function places(node: Json, at: Place = []): (readonly [Place, Json])[] {
  const below = Array.isArray(node)
    ? node.flatMap((item: Json, index) => places(item, [...at, index]))
    : isMembers(node)
      ? Object.entries(node).flatMap(([name, item]) => places(item, [...at, name]))
      : [];
  return at.length === 0 ? below : [[at, node], ...below];
}

/** The document with something else at a place; `undefined` removes it. */
function replaced(node: Json, [step, ...rest]: Place, value: Json | undefined, name = step): Json {
  if (Array.isArray(node)) {
    const items = node.map((item: Json, index) =>
      index !== step ? [item] : rest.length > 0 ? [replaced(item, rest, value)] : value === undefined ? [] : [value],
    );
    return items.flat(1) as Json;
  }
  const entries = Object.entries(node as Members).flatMap(([key, item]): [string, Json][] => {
    if (key !== step) return [[key, item]];
    if (rest.length > 0) return [[key, replaced(item, rest, value)]];
    return value === undefined ? [] : [[String(name), value]];
  });
  return Object.fromEntries(entries);
}

function renamed(document: Json, place: Place, name: string): Json {
  const parent = place.slice(0, -1);
  const members = parent.reduce<Json>(
    (node, step) => (node as { [key: string | number]: Json })[step] ?? null,
    document,
  );
  const changed = Object.fromEntries(
    Object.entries(members as Members).map(([key, item]) => [key === place.at(-1) ? name : key, item]),
  );
  return parent.length === 0 ? changed : replaced(document, parent, changed);
}

function pathOf(place: Place): string {
  return place.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** Names that the document's owner chooses, where every spelling is right. */
const FREE_NAMES = /(^|\.)(mappings|conversions)\.[^.]+$/;
/** Texts that may be any text. */
const FREE_TEXTS =
  /(^|\.)(host|database|username|password|vpn_endpoint|timestamp_field|field|input_field|name|mappings\.[^.]+)$/;

describe.each(EXAMPLES)('%s', (_, document) => {
  const all = places(document);

  it('is right', async () => {
    await expect(checkDocument(document, loadConnector, { alarms: true, checkPipeline })).resolves.toBeDefined();
  });

  const named = all.filter(([place]) => typeof place.at(-1) === 'string' && !FREE_NAMES.test(pathOf(place)));
  it.each(named.map(([place]) => [pathOf(place), place] as const))(
    'with %s misspelt says where, and what was meant',
    async (path, place) => {
      const key = String(place.at(-1));
      const typo = key.length > 3 ? key.slice(0, -2) + key.slice(-1) : `${key}x`;
      const issues = await issuesOf(renamed(document, place, typo));
      const wrong = pathOf([...place.slice(0, -1), typo]);
      const about = issues.filter((issue) => issue.path === wrong || path.startsWith(issue.path));
      expect(about.length).toBeGreaterThan(0);
      const said = issues.map(({ path: at, message }) => `${at} ${message}`).join('\n');
      expect(said).toContain(key);
    },
  );

  it.each(all.map(([place, value]) => [pathOf(place), place, value] as const))(
    'with %s of another type says where',
    async (path, place, value) => {
      const scalars = /\.(min|max|values\[\d+\])$/.test(path) ? [] : [typeof value === 'string' ? 5 : 'five'];
      const others: Json[] = [{ x: 1 }, [[1]], null, ...scalars];
      for (const other of others) {
        const issues = await issuesOf(replaced(document, place, other));
        expect(
          issues.some((issue) => issue.path === path || issue.path.startsWith(path) || path.startsWith(issue.path)),
        ).toBe(true);
        expect(issues.every(({ message }) => message.length > 0)).toBe(true);
      }
    },
  );

  const ruled = all.filter(([place, value]) => typeof value === 'string' && !FREE_TEXTS.test(pathOf(place)));
  it.each(ruled.map(([place]) => [pathOf(place), place] as const))(
    'with another text at %s says where',
    async (path, place) => {
      // Lists of free texts, such as tables or the values of an enum.
      if (/(values|tables|schemas|notification_channels)\[\d+\]$/.test(path)) return;
      const issues = await issuesOf(replaced(document, place, '~no such thing~'));
      expect(issues.some((issue) => issue.path === path || path.startsWith(issue.path))).toBe(true);
    },
  );

  const numbers = all.filter(([, value]) => typeof value === 'number');
  it.each(numbers.map(([place]) => [pathOf(place), place] as const))(
    'with %s out of range says where',
    async (path, place) => {
      if (/\.(min|max)$/.test(path)) return; // bounds of a rule may be any number
      const issues = await issuesOf(replaced(document, place, -1e12));
      expect(issues).toContainEqual(expect.objectContaining({ path }));
    },
  );
});
