import type { ColumnType } from '../../core/schema';
import type { CatalogColumn } from './catalog';

/** What a value really is; SQLite keeps that with the value, whatever the column was declared to be. */
export type StorageClass = 'integer' | 'real' | 'text' | 'blob' | 'null';

/** How a column is read: as one type, or, where its values are of several, as the text of any of them. */
export type Form = Extract<ColumnType, 'int64' | 'float64' | 'decimal' | 'text' | 'bytes'> | 'any';

/** What values are expected by the declaration; without `only` whatever is found is right. */
interface Expectation {
  readonly only?: readonly StorageClass[];
  readonly form: Form;
}

// https://www.sqlite.org/datatype3.html, section 3.1: the rules in their order.
const AFFINITIES: readonly (readonly [pattern: RegExp, expected: Expectation])[] = [
  [/^(ANY|BLOB)?$/, { form: 'text' }],
  [/INT/, { only: ['integer'], form: 'int64' }],
  [/CHAR|CLOB|TEXT/, { only: ['text'], form: 'text' }],
  [/BLOB/, { form: 'bytes' }],
  [/REAL|FLOA|DOUB/, { only: ['real'], form: 'float64' }],
  // SQLite knows no dates: programs keep them as text, or as a number.
  [/DATE|TIME/, { form: 'text' }],
  [/BOOL/, { only: ['integer'], form: 'int64' }],
  [/(?:)/, { only: ['integer', 'real'], form: 'decimal' }],
];

const FORMS: { readonly [classes: string]: Form } = {
  integer: 'int64',
  real: 'float64',
  'integer,real': 'decimal',
  text: 'text',
  blob: 'bytes',
};

/** Whether all values are known to be as declared, so that nobody has to look. */
export function isCertain({ declared, rowidAlias }: CatalogColumn, strict: boolean): boolean {
  return rowidAlias || (strict && expectationOf(declared).only !== undefined);
}

/** Whether any values are right, so that the type is that of what is there. */
export function isOpen({ declared }: CatalogColumn): boolean {
  return expectationOf(declared).only === undefined;
}

/** Whether the declaration says that it holds dates or times. */
export function isDated({ declared }: CatalogColumn): boolean {
  return /DATE|TIME/i.test(declared);
}

/** How a column is read in which these classes were found; with `strictly`, as it is declared in any case. */
export function formOf({ declared }: CatalogColumn, found: ReadonlySet<StorageClass>, strictly: boolean): Form {
  const { only, form } = expectationOf(declared);
  const classes = [...found].filter((one) => one !== 'null').sort();
  if (classes.length === 0) return declared.toUpperCase() === 'BLOB' ? 'bytes' : form;
  if (only === undefined) return FORMS[classes.join()] ?? 'any';
  return strictly || classes.every((one) => only.includes(one)) ? form : 'any';
}

/** The type of what a form gives. */
export function typeOf(form: Form): ColumnType {
  return form === 'any' ? 'text' : form;
}

function expectationOf(declared: string): Expectation {
  const name = declared.toUpperCase().trim();
  const found = AFFINITIES.find(([pattern]) => pattern.test(name));
  return found?.[1] ?? { form: 'text' };
}
