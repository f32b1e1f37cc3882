import type { SqlValue } from '../shared/sql/fragment';
import type { SqliteColumn } from './columns';
import { quoteIdentifier } from './identifiers';

/** Since 1970, in the unit that numbers of this size are in; smaller ones are no times. */
const UNITS: readonly { readonly from: number; readonly perSecond: number }[] = [
  { from: 1e17, perSecond: 1e9 },
  { from: 1e14, perSecond: 1e6 },
  { from: 1e11, perSecond: 1e3 },
  { from: 1e8, perSecond: 1 },
];
const DAY_SECONDS = 86_400;
const EPOCH_JULIAN = 2440587.5;
/** From year 1 to 9999. */
const JULIAN_DAYS = { from: 1721425.5, to: 5373484.5 };
// Programs mostly keep the time of their own zone, which is that of this machine.
const NOW = `max(julianday('now'), julianday('now', 'localtime'))`;
const TIMELY = /date|time|modified|updated|changed|created|(^|_)(at|on|ts)$/i;
const WALL_CLOCK = /^(\d{4})-(\d\d)-(\d\d)(?:([T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Whether numbers in a column may be times, by its name or declaration. */
export function isTimely({ column }: SqliteColumn): boolean {
  return TIMELY.test(column.name) || TIMELY.test(column.native);
}

/** The value of a column as SQL, but NULL for a time that is still to come. */
export function pastSql(column: SqliteColumn): string | undefined {
  const name = `t.${quoteIdentifier(column.column.name)}`;
  const julian = julianSql(column, name);
  return julian && `case when coalesce(${julian} > ${NOW}, 0) then null else ${name} end`;
}

function julianSql(column: SqliteColumn, name: string): string | undefined {
  const { form } = column;
  if (form === 'text') return `case when ${name} glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-*' then julianday(${name}) end`;
  if (!isTimely(column) || form === 'bytes' || form === 'any') return undefined;
  const cases = UNITS.map(({ from, perSecond }) => {
    return `when ${name} >= ${from.toFixed(1)} then ${name} / ${(perSecond * DAY_SECONDS).toFixed(1)} + ${EPOCH_JULIAN}`;
  });
  const days = `when ${name} between ${JULIAN_DAYS.from} and ${JULIAN_DAYS.to} then ${name}`;
  return `case ${[...cases, ...(form === 'int64' ? [] : [days])].join(' ')} end`;
}

/** A value of a column made older, in the form it has; `undefined` where it is no time. */
export function earlier(column: SqliteColumn, value: SqlValue | undefined, milliseconds: number): SqlValue | undefined {
  if (typeof value === 'string') return earlierText(value, milliseconds);
  if (!isTimely(column)) return undefined;
  if (typeof value !== 'bigint' && typeof value !== 'number') return undefined;
  const unit = UNITS.find(({ from }) => Number(value) >= from);
  if (unit !== undefined) {
    const less = (milliseconds * unit.perSecond) / 1000;
    return typeof value === 'bigint' ? value - BigInt(Math.ceil(less)) : value - less;
  }
  const isDay = typeof value === 'number' && value >= JULIAN_DAYS.from && value <= JULIAN_DAYS.to;
  return isDay ? value - milliseconds / (DAY_SECONDS * 1000) : undefined;
}

// Texts are compared as such: the older one has to look like the others.
function earlierText(text: string, milliseconds: number): string | undefined {
  const found = WALL_CLOCK.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, separator, hour = '0', minute = '0', second = '0', fraction = '', zone = ''] = found;
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const iso = new Date(wall + Number(`0.${fraction || '0'}`) * 1000 - milliseconds).toISOString();
  if (separator === undefined) return iso.slice(0, 10);
  const time = found[7] === undefined ? iso.slice(11, 16) : iso.slice(11, 19);
  const rest = fraction === '' ? '' : `.${iso.slice(20, 23).padEnd(fraction.length, '0').slice(0, fraction.length)}`;
  return `${iso.slice(0, 10)}${separator}${time}${rest}${zone}`;
}
