import { InvalidArgumentError } from 'commander';

const LARGEST = 500;

/** Reads the value of `--limit`. */
export function pageSize(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= LARGEST) return value;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${LARGEST}.`);
}
