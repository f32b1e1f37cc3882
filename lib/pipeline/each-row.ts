import type { Row } from '../core/batch';
import type { Frame } from './frame';

/** Does something with every row that has none of the marks in `skip`. */
export function eachRow({ rows, marks }: Frame, skip: number, work: (row: Row, place: number) => void): void {
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place];
    if (row !== undefined && ((marks[place] ?? 0) & skip) === 0) work(row, place);
  }
}
