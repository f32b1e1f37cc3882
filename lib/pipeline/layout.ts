import type { MixedRows, TextColumn } from '../core/batch';
import type { Column, ColumnType, StreamSchema } from '../core/schema';

/** The place of one field in the rows while they pass the pipeline. It stays, whatever becomes of the field's name or type. */
export interface Slot {
  readonly index: number;
  readonly isKey: boolean;
  column: Column;
  /** How many steps change its cells. Those that nobody changes pass as the source sent them. */
  changes: number;
  /** How many steps only read them. */
  reads: number;
  conversion?: SlotConversion;
}

/** The first change of a field of the source, which may leave its cells as they were written. */
export interface SlotConversion {
  readonly convert: NonNullable<TextColumn['convert']>;
  /** Steps so far. */
  readonly changes: number;
  readonly reads: number;
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
      (column, index): Slot => ({ index, column, isKey: key.has(column.name), changes: 0, reads: 0 }),
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
    for (const slot of fields) slot.changes++;
    return fields;
  }

  /** The names of the fields that are there now, in order. */
  get names(): readonly string[] {
    return this.#present().map(({ column }) => column.name);
  }

  /** A field whose cells may be read and changed. */
  find(name: string): Slot | undefined {
    const slot = this.peek(name);
    if (slot) slot.changes++;
    return slot;
  }

  /** A field whose cells are read, and not changed. */
  read(name: string): Slot | undefined {
    const slot = this.peek(name);
    if (slot) slot.reads++;
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
    const slot = { index: this.#width++, isKey: false, column: columnOf(name, type, true), changes: 1, reads: 0 };
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
    return this.#source.filter(({ changes, reads }) => changes + reads > 0).map((slot) => slot.index);
  }

  /** Where the cells of each field are, when the source gave text. */
  mixed(): MixedRows['columns'] {
    return this.#present().map((slot) => (slot.changes > 0 ? { cell: slot.index } : { text: slot.index }));
  }

  /** The same of fields whose conversion left all cells of a batch as they were written; see {@link isLastChange}. */
  asWritten(): readonly (TextColumn | undefined)[] {
    return this.#present().map(({ index, conversion }) => conversion && { text: index, convert: conversion.convert });
  }

  #present(): readonly Slot[] {
    return this.#slots.filter((slot) => slot !== undefined);
  }
}

/** Whether no step has changed a field after its conversion. */
export function isLastChange({ changes, conversion }: Slot): boolean {
  return changes === conversion?.changes;
}

/** Whether a step looks at what a field's conversion made. */
export function isReadAfter({ reads, conversion }: Slot): boolean {
  return reads !== conversion?.reads;
}

function columnOf(name: string, type: ColumnType, nullable: boolean): Column {
  return { name, type, nullable, native: `explorerio/${type}` };
}
