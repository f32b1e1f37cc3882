import { InvalidArgumentError } from 'commander';

const LARGEST = 500;

/** Reads the value of `--limit`. */
export const pageSize = pageSizeUpTo(LARGEST);

/** Reads the value of `--limit` where pages are smaller. */
export function pageSizeUpTo(largest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= largest) return value;
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${largest}.`);
  };
}
