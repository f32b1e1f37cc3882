const INTEGERS = ['smallint', 'integer', 'bigint'];
const GROWING = [
  'character varying',
  'bit varying',
  'interval',
  'time without time zone',
  'time with time zone',
  'timestamp without time zone',
  'timestamp with time zone',
];

/**
 * The narrowest type that holds every value of both without loss: `stored` itself, a wider one, or `text` where there is
 * no common type. Names are those of `format_type`.
 */
export function widened(stored: string, wanted: string): string {
  if (stored === wanted || stored === 'text') return stored;
  return (
    integers(stored, wanted) ?? numerics(stored, wanted) ?? floats(stored, wanted) ?? growing(stored, wanted) ?? 'text'
  );
}

function integers(stored: string, wanted: string): string | undefined {
  const ranks = [INTEGERS.indexOf(stored), INTEGERS.indexOf(wanted)];
  return Math.min(...ranks) < 0 ? undefined : INTEGERS[Math.max(...ranks)];
}

function numerics(stored: string, wanted: string): string | undefined {
  const [left, right] = [numeric(stored), numeric(wanted)];
  if (!left || !right) return undefined;
  const scale = Math.max(left.scale, right.scale);
  const whole = Math.max(left.whole, right.whole);
  return Number.isFinite(scale + whole) && whole + scale <= 1000 ? `numeric(${whole + scale},${scale})` : 'numeric';
}

/** Digits before and after the point. */
function numeric(type: string): { whole: number; scale: number } | undefined {
  if (type === 'numeric') return { whole: Number.POSITIVE_INFINITY, scale: Number.POSITIVE_INFINITY };
  const integer = INTEGERS.indexOf(type);
  if (integer >= 0) return { whole: [5, 10, 19][integer] ?? 19, scale: 0 };
  const match = /^numeric\((\d+),(\d+)\)$/.exec(type);
  return match ? { whole: Number(match[1]) - Number(match[2]), scale: Number(match[2]) } : undefined;
}

function floats(stored: string, wanted: string): string | undefined {
  const exactInDouble = ['real', 'double precision', 'smallint', 'integer'];
  return exactInDouble.includes(stored) && exactInDouble.includes(wanted) ? 'double precision' : undefined;
}

/** Types with a modifier that only limits: the larger one, or no limit. */
function growing(stored: string, wanted: string): string | undefined {
  const [left, right] = [limited(stored), limited(wanted)];
  if (left.base !== right.base || !GROWING.includes(left.base)) return undefined;
  if (left.limit === undefined || right.limit === undefined) return left.base;
  return left.limit >= right.limit ? stored : wanted;
}

function limited(type: string): { base: string; limit: number | undefined } {
  const match = /^(.*?)\((\d+)\)(.*)$/.exec(type);
  return match ? { base: `${match[1]}${match[3]}`, limit: Number(match[2]) } : { base: type, limit: undefined };
}
