/** One part of a path: a member's name or an item's index. */
export type PathPart = string | number;

const PART = /^(?:(?:^|\.)([^.[\]"]+)|\[(\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\])/;

/** Reads a path such as `address.city`, `items[0].id` or `labels["a.b"]`; `undefined` when it is none. */
export function readPath(path: string): readonly PathPart[] | undefined {
  const parts: PathPart[] = [];
  let rest = path.startsWith('$') ? path.slice(1).replace(/^\./, '') : path;
  while (rest !== '') {
    const match = PART.exec(parts.length === 0 ? rest : rest);
    if (match === null || (parts.length > 0 && match[1] !== undefined && !rest.startsWith('.'))) return undefined;
    const [whole, name, index, quoted] = match;
    parts.push(name ?? (index === undefined ? (JSON.parse(`"${quoted ?? ''}"`) as string) : Number(index)));
    rest = rest.slice(whole.length);
  }
  return parts.length === 0 ? undefined : parts;
}

interface Branch {
  readonly members: Map<PathPart, Branch>;
  readonly places: number[];
}

/** Takes the values at some paths out of JSON, each as its text: a number keeps all its digits. */
export class JsonPaths {
  readonly #root: Branch = { members: new Map(), places: [] };
  readonly #count: number;

  constructor(paths: readonly (readonly PathPart[])[]) {
    this.#count = paths.length;
    for (const [place, path] of paths.entries()) {
      let branch = this.#root;
      for (const part of path) {
        const next = branch.members.get(part) ?? { members: new Map(), places: [] };
        branch.members.set(part, next);
        branch = next;
      }
      branch.places.push(place);
    }
  }

  /** The text of each path's value, `undefined` where there is none. The JSON must be valid. */
  read(json: string): (string | undefined)[] {
    const found = new Array<string | undefined>(this.#count).fill(undefined);
    new Reader(json, found).value(this.#root);
    return found;
  }
}

const SCALAR_END = /[,\]}\s]|$/g;

class Reader {
  #at = 0;
  readonly #json: string;
  readonly #found: (string | undefined)[];

  constructor(json: string, found: (string | undefined)[]) {
    this.#json = json;
    this.#found = found;
  }

  value(branch: Branch | undefined): void {
    this.#space();
    const start = this.#at;
    const first = this.#json[start];
    if (branch !== undefined && first === '{') this.#object(branch);
    else if (branch !== undefined && first === '[') this.#array(branch);
    else this.#skip(first);
    if (branch === undefined) return;
    const text = branch.places.length === 0 ? '' : this.#json.slice(start, this.#at);
    for (const place of branch.places) this.#found[place] = text;
  }

  #object({ members }: Branch): void {
    // Of members of one name the last counts, as everywhere.
    for (const branch of members.values()) this.#forget(branch);
    this.#at++;
    for (this.#space(); this.#json[this.#at] !== '}'; this.#separator()) {
      const start = this.#at;
      this.#string();
      const raw = this.#json.slice(start, this.#at);
      const branch = members.get(raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1));
      if (branch !== undefined) this.#forget(branch);
      this.#space();
      this.#at++;
      this.value(branch);
    }
    this.#at++;
  }

  #array({ members }: Branch): void {
    this.#at++;
    let index = 0;
    for (this.#space(); this.#json[this.#at] !== ']'; this.#separator()) this.value(members.get(index++));
    this.#at++;
  }

  #separator(): void {
    this.#space();
    if (this.#json[this.#at] === ',') this.#at++;
    this.#space();
  }

  #forget({ places, members }: Branch): void {
    for (const place of places) this.#found[place] = undefined;
    for (const branch of members.values()) this.#forget(branch);
  }

  #skip(first: string | undefined): void {
    if (first === '"') this.#string();
    else if (first === '{' || first === '[') this.#nested();
    else {
      SCALAR_END.lastIndex = this.#at;
      this.#at = SCALAR_END.exec(this.#json)?.index ?? this.#json.length;
    }
  }

  #nested(): void {
    let depth = 0;
    do {
      const character = this.#json[this.#at];
      if (character === '"') {
        this.#string();
        continue;
      }
      if (character === '{' || character === '[') depth++;
      else if (character === '}' || character === ']') depth--;
      this.#at++;
    } while (depth > 0);
  }

  #string(): void {
    let end = this.#json.indexOf('"', this.#at + 1);
    while (isEscaped(this.#json, end)) end = this.#json.indexOf('"', end + 1);
    this.#at = end + 1;
  }

  #space(): void {
    while (isSpace(this.#json.charCodeAt(this.#at))) this.#at++;
  }
}

function isEscaped(json: string, quote: number): boolean {
  let slashes = 0;
  while (json[quote - 1 - slashes] === '\\') slashes++;
  return slashes % 2 === 1;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
