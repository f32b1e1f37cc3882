import { Fault } from '../../../core/fault';

/** What a driver can bind. */
export type SqlValue = null | boolean | number | bigint | string | Uint8Array;

/** A piece of SQL whose values are bound: text and values never meet before the driver. */
export interface Fragment {
  /** One mark stands for each of `values`; see {@link statementOf}. */
  readonly text: string;
  readonly values: readonly SqlValue[];
}

// No SQL holds it, and no server takes a name with it.
const MARK = '\u0000';

/** A value in SQL. */
export function bound(value: SqlValue): Fragment {
  return { text: MARK, values: [value] };
}

/** SQL of our own making, with fragments in it; what is put in as text must be quoted already. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (string | Fragment)[]): Fragment {
  let text = strings[0] ?? '';
  const values: SqlValue[] = [];
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'string') text += part;
    else {
      text += part.text;
      values.push(...part.values);
    }
    text += strings[index + 1] ?? '';
  }
  return { text, values };
}

/** Fragments one after the other. */
export function joined(fragments: readonly (string | Fragment)[], separator: string): Fragment {
  const all = fragments.map((fragment) => (typeof fragment === 'string' ? sql`${fragment}` : fragment));
  return { text: all.map(({ text }) => text).join(separator), values: all.flatMap(({ values }) => values) };
}

/** What a driver is given: the placeholder of each value, counted from 1, as the dialect writes it. */
export function statementOf({ text, values }: Fragment, placeholder: (place: number) => string): string {
  const pieces = text.split(MARK);
  if (pieces.length !== values.length + 1) {
    throw new Fault(
      'bug',
      'sql_values',
      `an SQL statement has ${pieces.length - 1} places for ${values.length} values`,
    );
  }
  return pieces.map((piece, index) => (index === 0 ? piece : placeholder(index) + piece)).join('');
}
