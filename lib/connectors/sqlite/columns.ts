import { Fault } from '../../core/fault';
import { bound, type Fragment } from '../shared/sql/fragment';
import type { SqlColumn } from '../shared/sql/relation';
import type { CatalogColumn, CatalogTable } from './catalog';
import { DECODERS, type Decode, expressionOf, UNFIT } from './cells';
import type { Cell } from './driver';
import { quoteIdentifier } from './identifiers';
import { packedRowid, packedSql } from './packed-sql';
import { type Form, isOpen, type StorageClass, typeOf } from './types';

/** A column as a session reads it. */
export interface SqliteColumn extends SqlColumn {
  readonly decode: Decode;
  readonly form: Form;
  /** SQL that {@link packedSql} made. */
  readonly packed: string;
  /** It is the rowid, by which SQLite finds a row at once. */
  readonly isRowid: boolean;
  /** A part of what tells rows apart. */
  readonly identifies: boolean;
  /** The fault for a cell that is not of the column's form, of the row of that name; it is remembered that such are there. */
  unfit(cell: Cell, row: string): Fault;
}

/** What a column is made of. */
export interface ColumnParts {
  readonly table: CatalogTable;
  readonly source: CatalogColumn;
  readonly form: Form;
  readonly classes: Set<StorageClass>;
  readonly collation: string;
  readonly inKey: boolean;
  readonly strictly: boolean;
}

const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 63n - 1n;

/** A column of a table, as it is read. */
export function readColumn(parts: ColumnParts): SqliteColumn {
  const { table, source, form, collation, inKey } = parts;
  const name = `t.${quoteIdentifier(source.name)}`;
  const decode = DECODERS[form];
  const isRowid = source.rowidAlias && table.kind === 'table';
  return {
    column: {
      name: source.name,
      type: typeOf(form),
      nullable: source.nullable && !inKey,
      native: `sqlite/${source.declared.toLowerCase() || 'any'}`,
    },
    expression: expressionOf(name, form),
    order: form === 'text' ? `${name} collate ${collation}` : name,
    bind: (text) => bindAs(form, text),
    decode: inKey ? (cell, text) => (cell === null ? UNFIT : decode(cell, text)) : decode,
    form,
    packed: isRowid ? packedRowid(name) : packedSql(name, form, inKey),
    isRowid,
    identifies: inKey,
    unfit: (cell, row) => unfit(parts, cell, row),
  };
}

/** The rowid, which is no column of the schema. */
export function rowidColumn(table: CatalogTable, name: string): SqliteColumn {
  return {
    column: { name, type: 'int64', nullable: false, native: 'sqlite/integer' },
    expression: `t.${name}`,
    order: `t.${name}`,
    bind: (text) => bindAs('int64', text),
    decode: DECODERS.int64,
    form: 'int64',
    packed: packedRowid(`t.${name}`),
    isRowid: true,
    identifies: true,
    unfit: () => new Fault('bug', 'rowid', `reading ${table.name}: a rowid is no number`),
  };
}

function bindAs(form: Form, text: string): Fragment {
  if (form === 'int64') return bound(BigInt(text));
  if (form === 'float64') return bound(Number(text));
  if (form === 'bytes') return bound(Buffer.from(text, 'hex'));
  if (form !== 'decimal') return bound(text);
  // What it was made of: an integer or a real.
  const whole = /^-?\d+$/.test(text) ? BigInt(text) : undefined;
  return bound(whole !== undefined && whole >= SMALLEST && whole <= LARGEST ? whole : Number(text));
}

function unfit({ table, source, form, classes, inKey, strictly }: ColumnParts, cell: Cell, row: string): Fault {
  // What reads says which table it is of a fault in the data.
  const where = `column ${source.name} of the row ${row}`;
  if (cell instanceof Uint8Array && (form === 'text' || form === 'any')) {
    return new Fault('data', 'invalid_text', `${where} holds text that is not valid in the encoding of the database`, {
      hint: 'Correct the value, or leave the column out by a view.',
    });
  }
  const met = classesOf(cell, form);
  for (const one of met) classes.add(one);
  const named = cell === null ? 'NULL, which a key cannot be' : `a value of type ${met.join(' or ')}`;
  if (strictly && !inKey && !isOpen(source)) {
    return new Fault('data', 'type_mismatch', `${where} holds ${named}, and is declared ${source.declared}`, {
      hint: 'Correct the value, or set "type_mismatch" to "text".',
    });
  }
  return new Fault(
    'transient',
    'value_type_changed',
    `reading ${table.name}: ${where} holds ${named}, as no value did before`,
    {
      hint: 'It is read again, for what it is now.',
    },
  );
}

// As what it is selected: see `expressionOf`.
function classesOf(cell: Cell, form: Form): StorageClass[] {
  if (cell === null) return ['null'];
  if (cell instanceof Uint8Array) return form === 'bytes' ? ['blob'] : ['text', 'blob'];
  if (form === 'bytes') return ['text', 'integer', 'real'];
  if (typeof cell === 'number') return ['real'];
  return form === 'text' ? ['blob', 'integer'] : ['integer'];
}
