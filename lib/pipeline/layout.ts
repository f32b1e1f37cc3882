import type { MixedRows } from '../core/batch';
import type { Column, ColumnType, StreamSchema } from '../core/schema';

/** The place of one field in the rows while they pass the pipeline. It stays, whatever becomes of the field's name or type. */
export interface Slot {
  readonly index: number;
  readonly isKey: boolean;
  column: Column;
  /** What steps do with its cells. Those that nobody changes pass as the source sent them. */
  use: 'none' | 'read' | 'change';
}

/** Where the fields of a stream are, step after step; made once per shape. */
export class Layout {
  readonly stream: string;
  readonly notes: string[] = [];
  readonly #source: readonly Slot[];
  readonly #slots: (Slot | undefined)[];
  readonly #key: readonly Slot[];
  #width: number;

  constructor(schema: StreamSchema) {
    const key = new Set(schema.key);
    const slots = schema.columns.map(
      (column, index): Slot => ({ index, column, isKey: key.has(column.name), use: 'none' }),
    );
    this.stream = schema.stream;
    this.#source = slots;
    this.#slots = [...slots];
    this.#width = slots.length;
    this.#key = schema.key.flatMap((name) => slots.find((slot) => slot.column.name === name) ?? []);
  }

  /** Cells of a row, those of dropped fields included. */
  get width(): number {
    return this.#width;
  }

  /** Fields that are there now, in order; their cells may be read and changed. */
  get fields(): readonly Slot[] {
    const fields = this.#present();
    for (const slot of fields) slot.use = 'change';
    return fields;
  }

  /** The names of the fields that are there now, in order. */
  get names(): readonly string[] {
    return this.#present().map(({ column }) => column.name);
  }

  /** A field whose cells may be read and changed. */
  find(name: string): Slot | undefined {
    const slot = this.peek(name);
    if (slot) slot.use = 'change';
    return slot;
  }

  /** A field whose cells are read, and not changed. */
  read(name: string): Slot | undefined {
    const slot = this.peek(name);
    if (slot?.use === 'none') slot.use = 'read';
    return slot;
  }

  /** A field that is only moved or left out: nobody looks at its cells. */
  peek(name: string): Slot | undefined {
    return this.#slots.find((slot) => slot?.column.name === name);
  }

  /** Adds a field, or gives the one of that name a new type. */
  put(name: string, type: ColumnType): Slot {
    const known = this.find(name);
    if (known) {
      this.replace(known, type);
      return known;
    }
    const slot: Slot = { index: this.#width++, isKey: false, column: columnOf(name, type, true), use: 'change' };
    this.#slots.push(slot);
    return slot;
  }

  /** Values of its own take the place of a field's: what the source called their type, such as `inet`, holds no more. */
  replace(slot: Slot, type: ColumnType): void {
    slot.column = columnOf(slot.column.name, type, !slot.isKey);
  }

  retype(slot: Slot, type: ColumnType): void {
    if (slot.column.type !== type) slot.column = columnOf(slot.column.name, type, !slot.isKey);
    else if (!slot.isKey) slot.column = { ...slot.column, nullable: true };
  }

  rename(slot: Slot, name: string): void {
    slot.column = { ...slot.column, name };
  }

  drop(slot: Slot): void {
    this.#slots[this.#slots.indexOf(slot)] = undefined;
  }

  /** The shape of what leaves the pipeline. */
  output(): StreamSchema {
    return {
      stream: this.stream,
      columns: this.#present().map((slot) => slot.column),
      key: this.#key.map((slot) => slot.column.name),
    };
  }

  /** Which cells leave the pipeline, in order; `undefined` when all do. */
  projection(): readonly number[] | undefined {
    const kept = this.#present().map((slot) => slot.index);
    return kept.length === this.#width ? undefined : kept;
  }

  /** Columns of the source whose cells are looked at. */
  used(): readonly number[] {
    return this.#source.filter((slot) => slot.use !== 'none').map((slot) => slot.index);
  }

  /** Where the cells of each field are, when the source gave text. */
  mixed(): MixedRows['columns'] {
    return this.#present().map((slot) => (slot.use === 'change' ? { cell: slot.index } : { text: slot.index }));
  }

  #present(): readonly Slot[] {
    return this.#slots.filter((slot) => slot !== undefined);
  }
}

function columnOf(name: string, type: ColumnType, nullable: boolean): Column {
  return { name, type, nullable, native: `explorerio/${type}` };
}
