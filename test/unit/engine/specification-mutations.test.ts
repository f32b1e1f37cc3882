import { loadConnector } from '../../../lib/connectors';
import type { Fault, FieldIssue } from '../../../lib/core/fault';
import type { Json } from '../../../lib/core/json';
import { checkDocument, type HomeAbilities } from '../../../lib/engine/document';
import { checkPipeline } from '../../../lib/pipeline/compile';
import { INTEGRATIONS, SECTIONS } from './specification';

// Each example of the specification that this version serves, with one field misspelt, retyped, removed or out of range.

type Place = readonly (string | number)[];
type Members = { readonly [name: string]: Json };

const POSTGRESQL = INTEGRATIONS.find(({ type }) => type === 'postgresql') as unknown as Members;
const { sync_settings: _settings, ...WITHOUT_SETTINGS } = POSTGRESQL;

const EXAMPLES: readonly (readonly [string, Members])[] = [
  ['the PostgreSQL document', POSTGRESQL],
  ...Object.entries(SECTIONS).flatMap(([section, examples]) =>
    (examples as readonly Json[]).map((example, index): readonly [string, Members] => [
      `${section}[${index}]`,
      { ...(section === 'sync_strategy' ? WITHOUT_SETTINGS : POSTGRESQL), [section]: example },
    ]),
  ),
];

const HOME: HomeAbilities = { alarms: true, checkPipeline, credentialStores: { check: () => [] } };

/** What is said of a document that is wrong; nothing where it is right. */
async function issuesIn(document: Json): Promise<readonly FieldIssue[]> {
  const right = checkDocument(document, loadConnector, HOME).then(() => undefined);
  const fault = await right.catch((error: unknown) => error);
  if (fault === undefined) return [];
  expect(fault).toMatchObject({ kind: 'config', code: expect.stringMatching(/^(invalid_config|unknown_type)$/) });
  return (fault as Fault).issues ?? [];
}

async function issuesOf(document: Json): Promise<readonly FieldIssue[]> {
  const issues = await issuesIn(document);
  expect(issues.length).toBeGreaterThan(0);
  expect(issues.every(({ message }) => message.length > 0)).toBe(true);
  return issues;
}

/** Whether an issue is about a place or what it is in. */
function isAbout(issue: FieldIssue, path: string): boolean {
  return issue.path !== '' && path.startsWith(issue.path);
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

function escaped(text: string): string {
  return text.replace(/[.[\]]/g, '\\$&');
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
  /(^|\.)(host|database|username|password|vpn_endpoint|encryption_key|authentication\.secret|file_path|timestamp_field|field|input_field|name|mappings\.[^.]+)$/;

/** Fields that no document can do without, and the rules and steps that need them. */
const REQUIRED = [
  /^(name|type|connection)$/,
  /^connection\.(host|database|username)$/,
  /^transformations\[\d\]\.(type|mappings|conversions|enrichments)$/,
  /^transformations\[2\]\.enrichments\[0\](\.(field|source|input_field))?$/,
  /^validation_rules\[\d\]\.(field|type|values)$/,
  /^health_checks\.enabled$/,
  /^alerts\[\d\]\.(name|condition|severity)$/,
  /^credential_store\.(type|encryption_key|file_path)$/,
  /^rotation_policy\.enabled$/,
  /^webhook_config\.(endpoint|authentication)(\.(type|secret))?$/,
  /^webhook_config\.retry_policy\.(max_attempts|backoff)$/,
];

/** A test for each place; there may be none. */
function eachOf(
  cases: readonly (readonly [Place, Json])[],
  name: string,
  check: (path: string, place: Place, value: Json) => Promise<void>,
): void {
  for (const [place, value] of cases) {
    const path = pathOf(place);
    it(name.replace('%s', path), () => check(path, place, value));
  }
}

/** Values of which there are only a few. */
const WORDS =
  /(^type|^sync_settings\.mode|\.(type|source|strategy|severity|method|initial_sync|checkpoint_storage|backoff|conversions\.[^.]+))$/;

describe.each(EXAMPLES)('%s', (name, document) => {
  const all = places(document);
  const section = name.replace(/\[\d\]$/, '');
  // Those of the document around are seen once.
  const own = all.filter(([place]) => !(section in document) || place[0] === section);

  it('is right', async () => {
    await expect(checkDocument(document, loadConnector, HOME)).resolves.toBeDefined();
  });

  eachOf(own, 'without %s is right, or says that it is missing', async (path, place) => {
    const shorter = replaced(document, place, undefined);
    const issues = await issuesIn(shorter);
    if (REQUIRED.some((pattern) => pattern.test(path))) {
      expect(issues.some((issue) => issue.path === path || path.startsWith(`${issue.path}[`))).toBe(true);
    } else expect(issues).toEqual([]);
  });

  const words = own.filter(([place, value]) => typeof value === 'string' && WORDS.test(pathOf(place)));
  eachOf(words, 'with the value of %s misspelt says what was meant', async (path, place, value) => {
    const word = String(value);
    const typo = word.slice(0, -2) + word.slice(-1);
    const issues = await issuesOf(replaced(document, place, typo));
    const about = issues.filter((issue) => isAbout(issue, path));
    expect(about.map(({ message }) => message).join('\n')).toContain(word);
  });

  const named = own.filter(([place]) => typeof place.at(-1) === 'string' && !FREE_NAMES.test(pathOf(place)));
  eachOf(named, 'with %s misspelt says where, and what was meant', async (path, place) => {
    const key = String(place.at(-1));
    const typo = key.length > 3 ? key.slice(0, -2) + key.slice(-1) : `${key}x`;
    const issues = await issuesOf(renamed(document, place, typo));
    const wrong = pathOf([...place.slice(0, -1), typo]);
    const about = issues.filter((issue) => issue.path === wrong || isAbout(issue, path));
    expect(about.length).toBeGreaterThan(0);
    const said = issues.map(({ path: at, message }) => `${at} ${message}`).join('\n');
    expect(said).toMatch(new RegExp(`did you mean "${key}"|^${escaped(path)} `, 'm'));
  });

  eachOf(own, 'with %s of another type says where', async (path, place, value) => {
    const scalars = /\.(min|max|values\[\d+\])$/.test(path) ? [] : [typeof value === 'string' ? 5 : 'five'];
    const others: Json[] = [{ x: 1 }, [[1]], null, ...scalars];
    for (const other of others) {
      const issues = await issuesOf(replaced(document, place, other));
      expect(issues.some((issue) => issue.path.startsWith(path) || isAbout(issue, path))).toBe(true);
    }
  });

  const ruled = own.filter(([place, value]) => typeof value === 'string' && !FREE_TEXTS.test(pathOf(place)));
  eachOf(ruled, 'with another text at %s says where', async (path, place) => {
    // Lists of free texts, such as tables or the values of an enum.
    if (/(values|tables|schemas|notification_channels)\[\d+\]$/.test(path)) return;
    const issues = await issuesOf(replaced(document, place, '~no such thing~'));
    expect(issues.some((issue) => isAbout(issue, path))).toBe(true);
  });

  const numbers = own.filter(([, value]) => typeof value === 'number');
  eachOf(numbers, 'with %s out of range says where', async (path, place) => {
    if (/\.(min|max)$/.test(path)) return; // bounds of a rule may be any number
    const issues = await issuesOf(replaced(document, place, -1e12));
    expect(issues).toContainEqual(expect.objectContaining({ path }));
  });
});
