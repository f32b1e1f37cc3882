/** An element of an answer in XML. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface Open {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const TOKEN = /<(\/?)([A-Za-z][\w.-]*)[^>]*?(\/?)>|<[?!][^>]*>|([^<]+)/g;

/** Reads the XML in which the older services of AWS answer: elements and text, without attributes. */
export function readXml(xml: string): XmlElement {
  const root: Open = { name: '', text: '', children: [] };
  const open = [root];
  for (const [, end, name, empty, text] of xml.matchAll(TOKEN)) {
    const current = open.at(-1) ?? root;
    if (text !== undefined) current.text += decoded(text);
    else if (name === undefined) continue;
    else if (end) open.length > 1 && open.pop();
    else {
      const element = { name, text: '', children: [] };
      current.children.push(element);
      if (!empty) open.push(element);
    }
  }
  return root;
}

/** The elements at a path below one. */
export function elementsAt(element: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  return path.reduce<readonly XmlElement[]>(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
}

/** The text of the first element at a path; `undefined` where there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string | undefined {
  return elementsAt(element, ...path)[0]?.text;
}

const ENTITIES: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? entity;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
