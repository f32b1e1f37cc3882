import Table from 'cli-table3';
import { plain } from './format';

const NO_FRAME = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ]
    .flat()
    .map((part) => [part, '']),
);

/** A column: its heading, and whether it holds numbers. */
export interface TableColumn {
  readonly title: string;
  readonly numeric?: boolean;
}

/** Rows as aligned text without frame or colour, so that it can be read, copied and cut by tools alike. */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const grid = new Table({
    head: columns.map(({ title }) => title.toUpperCase()),
    colAligns: columns.map(({ numeric }) => (numeric ? 'right' : 'left')),
    chars: { ...NO_FRAME, middle: '  ' },
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  grid.push(...rows.map((row) => row.map(plain)));
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
