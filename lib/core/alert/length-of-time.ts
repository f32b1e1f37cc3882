const UNITS = { d: 86_400, h: 3600, m: 60, s: 1 } as const;
const LENGTH = /^(?=.)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/;

/** Seconds of a length of time such as `90m` or `1h30m`: days, hours, minutes and seconds, in this order. */
export function parseLengthOfTime(text: string): number | undefined {
  const found = LENGTH.exec(text);
  if (found === null) return undefined;
  return Object.values(UNITS).reduce((total, unit, index) => total + unit * Number(found[index + 1] ?? 0), 0);
}

/** The shortest text for whole seconds, in the largest units: `1h30m`. */
export function printLengthOfTime(seconds: number): string {
  let left = seconds;
  const parts = Object.entries(UNITS).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
