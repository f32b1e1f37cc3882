/** One sample of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
}

/** One metric of an exposition, with its samples. */
export interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/;
const VALUE = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|Inf)$|^NaN$/i;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * Reads the text format of Prometheus, version 0.0.4, as its documentation describes it, without any of the liberties that
 * readers take: HELP and TYPE before the samples of each metric, which stand together; every line ended; no sample twice.
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line is not ended');
  const reader = new Reader();
  for (const line of text.slice(0, -1).split('\n')) reader.read(line);
  for (const [name, { samples, type }] of reader.families) {
    if (samples.length === 0) throw new Error(`no samples: ${name}`);
    if ((type === 'counter') !== name.endsWith('_total')) {
      throw new Error(`a counter, and no other, ends in _total: ${name}`);
    }
  }
  return reader.families;
}

class Reader {
  readonly families = new Map<string, { help: string; type: string; samples: Sample[] }>();
  readonly #seen = new Set<string>();
  #current = '';

  read(line: string): void {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined && NAME.exec(name)?.[0] !== name) throw new Error(`no name: ${line}`);
    if (kind === 'HELP') this.#help(name, rest);
    else if (kind === 'TYPE') this.#type(name, rest);
    else this.#sample(line);
  }

  #help(name: string, help: string): void {
    if (this.families.has(name)) throw new Error(`a second HELP: ${name}`);
    if (/\\(?![\\n])/.test(help)) throw new Error(`a wrong escape: ${help}`);
    this.families.set(name, { help, type: '', samples: [] });
    this.#current = name;
  }

  #type(name: string, type: string): void {
    const family = this.families.get(name);
    if (name !== this.#current || !family || family.type !== '' || family.samples.length > 0) {
      throw new Error(`TYPE in a wrong place: ${name}`);
    }
    if (!TYPES.includes(type)) throw new Error(`no type: ${type}`);
    family.type = type;
  }

  #sample(line: string): void {
    const sample = parseSample(line);
    const family = this.families.get(sample.name);
    if (sample.name !== this.#current || !family || family.type === '') {
      throw new Error(`a sample in a wrong place: ${line}`);
    }
    const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (this.#seen.has(identity)) throw new Error(`a sample twice: ${line}`);
    this.#seen.add(identity);
    family.samples.push(sample);
  }
}

function parseSample(line: string): Sample {
  const [name] = NAME.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const [labels, rest] = parseLabels(line.slice(name.length));
  const [, value = ''] = /^ (\S+)$/.exec(rest) ?? [];
  if (!VALUE.test(value)) throw new Error(`no value: ${line}`);
  return { name, labels, value: Number(value) };
}

function parseLabels(text: string): [labels: Sample['labels'], rest: string] {
  const labels: { [name: string]: string } = {};
  if (!text.startsWith('{')) return [labels, text];
  let rest = text.slice(1);
  while (!rest.startsWith('}')) {
    const [all, key = '', value = ''] = LABEL.exec(rest) ?? [];
    if (all === undefined || key in labels || key.startsWith('__')) throw new Error(`a wrong label: ${text}`);
    labels[key] = value.replaceAll(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
    rest = rest.slice(all.length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (!rest.startsWith('}')) throw new Error(`labels without a comma: ${text}`);
  }
  return [labels, rest.slice(1)];
}
