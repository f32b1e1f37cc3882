import type { Form } from './types';

/**
 * Bytes that UTF-8 never has: each packed value is followed by one of them, whatever it holds. Those from `first` on say that a
 * real was multiplied to be an integer: see {@link SCALES}.
 */
export const END = { value: 0xff, null: 0xfe, first: 0xf5 } as const;

/** A real up to 2 to the power of `upTo`, and above that of `upTo - 10`, is an integer times 2 to `-power`: it has 53 bits. */
interface Scale {
  readonly end: number;
  readonly upTo: number;
  readonly power: number;
}

/** From the smallest to the largest, without gaps. */
export const SCALES: readonly Scale[] = [-20, -10, 0, 10, 20, 30, 40, 50, 60].map((upTo, index) => {
  return { end: END.first + index, upTo, power: 62 - upTo };
});

// Of a longer value two more copies would be made, to save what is little beside it.
const MOST_BYTES = 65_536;
/** SQLite reads and writes numbers of so many bits exactly. */
const EXACT_BITS = 50;

const VALUE = endSql(END.value);
const NONE = `when 'null' then ${endSql(END.null)}`;

/**
 * The SQL that packs a column: the value as text, with what ends it. NULL where the value is none of its form, or is nothing
 * that can be packed.
 */
export function packedSql(name: string, form: Form, neverNull: boolean): string {
  const none = neverNull ? '' : NONE;
  const whole = `when 'integer' then ${name} || ${VALUE}`;
  const real = `when 'real' then ${realSql(name)}`;
  const text = `when 'text' then ${short(name, `${name} || ${VALUE}`)}`;
  const cases: { readonly [form in Form]: string } = {
    int64: whole,
    float64: real,
    decimal: `${whole} ${real}`,
    text,
    bytes: `when 'blob' then ${short(name, `hex(${name}) || ${VALUE}`)}`,
    any: `${whole} ${real} ${text} when 'blob' then ${short(name, `'X''' || hex(${name}) || '''' || ${VALUE}`)}`,
  };
  return `case typeof(${name}) ${cases[form]} ${none} end`;
}

/** The SQL that packs a rowid, which is always an integer. */
export function packedRowid(name: string): string {
  return `${name} || ${VALUE}`;
}

function short(name: string, packed: string): string {
  return `case when octet_length(${name}) <= ${MOST_BYTES} then ${packed} end`;
}

function endSql(end: number): string {
  return `cast(x'${end.toString(16)}' as text)`;
}

// SQLite's own digits of a real are not always those that give it again.
function realSql(name: string): string {
  // A collation that the program which wrote the file brought would be looked for, though numbers need none.
  const compared = `(${name} collate binary)`;
  const within = ({ upTo }: Scale) => `${compared} between -${powerSql(upTo)} and ${powerSql(upTo)}`;
  const scaled = ({ end, power }: Scale) => `then cast(${name} * ${powerSql(power)} as integer) || ${endSql(end)}`;
  const small = SCALES.filter(({ upTo }) => upTo <= 0);
  const smallest = { end: END.first, upTo: -30, power: 0 };
  const downward = small
    .map((scale, index) => `when not ${within(small[index - 1] ?? smallest)} ${scaled(scale)}`)
    .reverse();
  // Nothing else tells -0 from 0.
  const zero = `when ${compared} = 0.0 then case when atan2(${name}, -1.0) < 0.0 then '-0' else '0' end || ${endSql(END.first)}`;
  const upward = SCALES.filter(({ upTo }) => upTo > 0).map((scale) => `when ${within(scale)} ${scaled(scale)}`);
  return `case when ${compared} between -1.0 and 1.0 then case ${[zero, ...downward].join(' ')} end ${upward.join(' ')} end`;
}

function powerSql(power: number): string {
  const size = Math.abs(power);
  const rest = size - Math.min(size, EXACT_BITS);
  const whole = `${2 ** (size - rest)}.0${rest > 0 ? ` * ${2 ** rest}.0` : ''}`;
  return power < 0 ? `(1.0 / (${whole}))` : `(${whole})`;
}
