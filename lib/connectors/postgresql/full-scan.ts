import type { Batch } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import { copyBytes, type PgCopyFormat } from './byte-batch';
import { copyRows } from './copy-batches';
import type { Filled } from './copy-text';
import { quoteLiteral } from './identifiers';
import { checkFilenodes, TID_RANGE_VERSION } from './partitions';
import type { Part, Segment } from './parts';
import type { Relation } from './relation';
import type { Session } from './session';
import type { Sessions } from './sessions';
import { snapshotLost } from './snapshot';

type PagesPart = Extract<Part, { kind: 'pages' }>;
type Tid = readonly [page: number, line: number];

/** What a scan of a part works with. `begin` opens a transaction at the part's snapshot. */
export interface PartScan {
  readonly sessions: Sessions;
  readonly request: ScanRequest;
  readonly relation: Relation;
  begin(session: Session): Promise<void>;
}

/** The version of the positions of full reads. */
export const FORMAT = 1;
const LAST_LINE = 65_535;
const PAGE_BYTES = 8192;
// A statement for less would cost more than the reading.
const LEAST_RANGE_BYTES = 32 * 1024 * 1024;
/** The position after a whole part. */
export const DONE: Position = { format: FORMAT, value: { done: true } };

interface Range {
  readonly segment: Segment;
  readonly where: string;
  readonly after: Position;
  readonly index: number;
}

/** Reads ranges of pages as rows. A position is a segment and the row's own address in it, so it resumes between any two. */
export async function* scanPages(scan: PartScan, part: PagesPart, session: Session): AsyncGenerator<Batch> {
  const { request, relation } = scan;
  const start = pagesPosition(request.from);
  if (start === 'done') return;
  await lock(session, part.segments, isLockable(relation));
  for (const range of ranges(part, start, await segmentSizes(session, part, request))) {
    yield* copyRows({
      session,
      select: rangeSql(relation, range, ', t.ctid'),
      extra: 1,
      schema: relation.schema,
      size: request.size,
      after: (filled) => position(range.index, tidOf(filled)),
      end: range.after,
    });
  }
}

/** Plans the ranges of pages as bytes. `session` is needed for the plan only: bodies have their own. */
export async function pagesAsBytes(
  scan: PartScan,
  part: PagesPart,
  session: Session,
  format: PgCopyFormat,
): Promise<Iterable<Batch>> {
  const { request, relation } = scan;
  const start = pagesPosition(request.from);
  if (start === 'done') return [];
  await lock(session, part.segments, isLockable(relation));
  return rangeBatches(scan, ranges(part, start, await segmentSizes(session, part, request)), format);
}

function* rangeBatches(scan: PartScan, planned: Iterable<Range>, format: PgCopyFormat): Generator<Batch> {
  const { sessions, request, relation } = scan;
  for (const range of planned) {
    const begin = async (own: Session) => {
      await scan.begin(own);
      await lock(own, [range.segment], isLockable(relation));
      return rangeSql(relation, range, '');
    };
    yield copyBytes({ sessions, signal: request.signal, schema: relation.schema, after: range.after, format, begin });
  }
}

function rangeSql(relation: Relation, { segment, where }: Range, more: string): string {
  return `select ${columnsOf(relation)}${more} from only ${segment.name} as t ${where}`;
}

function columnsOf(relation: Relation): string {
  return relation.reads.map((read) => read.expression).join(', ');
}

function isLockable({ catalog }: Relation): boolean {
  return catalog.kind !== 'm';
}

// Locked before the first look, so that nobody rewrites a table between the check and the reading. PostgreSQL locks no
// materialized view on request; a refresh of one is seen by the check only.
async function lock(session: Session, segments: readonly Segment[], lockable: boolean): Promise<void> {
  const names = segments.map(({ name }) => `only ${name}`).join(', ');
  if (lockable) await session.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`);
  await checkFilenodes(session, segments);
}

interface SegmentSize {
  readonly pages: number;
  /** Pages per range. */
  readonly step: number;
}

function* ranges(
  part: PagesPart,
  start: { readonly segment: number; readonly tid?: Tid },
  sizes: readonly SegmentSize[],
): Generator<Range> {
  for (const [index, segment] of part.segments.entries()) {
    const size = sizes[index];
    if (index < start.segment || size === undefined) continue;
    yield* segmentRanges(part, index, segment, size, index === start.segment ? start.tid : undefined);
  }
}

function* segmentRanges(
  part: PagesPart,
  index: number,
  segment: Segment,
  { pages, step }: SegmentSize,
  start: Tid | undefined,
): Generator<Range> {
  let tid = start ?? (segment.from > 0 ? boundary(segment.from) : undefined);
  const end = segment.to ?? pages;
  for (let next = (tid ? tid[0] + 1 : 0) + step; next < end; next += step) {
    const after = boundary(next);
    yield { segment, where: tidRange(tid, next), after: position(index, after), index };
    tid = after;
  }
  // Whatever was added behind the last page since the plan was made belongs to the last range.
  const last = index + 1 === part.segments.length;
  yield { segment, where: tidRange(tid, segment.to), after: last ? DONE : position(index + 1, undefined), index };
}

async function segmentSizes(session: Session, part: PagesPart, { size }: ScanRequest): Promise<SegmentSize[]> {
  const sizes: SegmentSize[] = [];
  for (const segment of part.segments) sizes.push(await segmentSize(session, segment, size.bytes));
  return sizes;
}

async function segmentSize(session: Session, { name }: Segment, bytes: number): Promise<SegmentSize> {
  const [row] = await session.query(
    `select pg_relation_size(c) as heap, pg_table_size(c) as whole from (select ${quoteLiteral(name)}::regclass as c) r`,
  );
  const heap = Number(row?.heap ?? 0);
  const pages = Math.ceil(heap / PAGE_BYTES);
  if (session.version < TID_RANGE_VERSION) return { pages, step: Number.MAX_SAFE_INTEGER };
  // Large values lie outside the pages: with more of them a page stands for more bytes.
  const weight = heap === 0 ? 1 : Math.max(1, Number(row?.whole ?? 0) / heap);
  const target = Math.max(bytes, LEAST_RANGE_BYTES) / PAGE_BYTES / weight;
  return { pages, step: Math.max(1, Math.floor(target)) };
}

/** The address before the first row of a page. */
function boundary(page: number): Tid {
  return [page - 1, LAST_LINE];
}

function tidRange(after: Tid | undefined, before: number | null): string {
  const bounds = [
    ...(after ? [`t.ctid > '(${after[0]},${after[1]})'`] : []),
    ...(before === null ? [] : [`t.ctid < '(${before},0)'`]),
  ];
  return bounds.length === 0 ? '' : `where ${bounds.join(' and ')}`;
}

function tidOf({ extra }: Filled): Tid {
  const [page, line] =
    /^\((\d+),(\d+)\)$/
      .exec(extra[0] ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  if (page === undefined || line === undefined) throw new Fault('bug', 'copy_format', `${extra[0]} is no row address`);
  return [page, line];
}

function position(segment: number, tid: Tid | undefined): Position {
  return { format: FORMAT, value: tid ? { segment, tid } : { segment } };
}

function pagesPosition(from: Position | undefined): 'done' | { readonly segment: number; readonly tid?: Tid } {
  const value = (from?.value ?? { segment: 0 }) as { done?: boolean; segment: number; tid?: Tid };
  return value.done ? 'done' : value;
}

/** Reads a view or the like in one go. It has no addresses, so there is no resuming inside it. */
export async function* scanWhole({ request, relation }: PartScan, session: Session): AsyncGenerator<Batch> {
  if (isWholeDone(request)) return;
  const after = () => ({ format: FORMAT, value: { inside: true } });
  const { schema } = relation;
  yield* copyRows({ session, select: wholeSql(relation), extra: 0, schema, size: request.size, after, end: DONE });
}

/** The same as bytes. */
export function wholeAsBytes(scan: PartScan, format: PgCopyFormat): Iterable<Batch> {
  const { sessions, request, relation } = scan;
  if (isWholeDone(request)) return [];
  const begin = async (own: Session) => {
    await scan.begin(own);
    return wholeSql(relation);
  };
  return [copyBytes({ sessions, signal: request.signal, schema: relation.schema, after: DONE, format, begin })];
}

function wholeSql(relation: Relation): string {
  return `select ${columnsOf(relation)} from ${relation.source}`;
}

function isWholeDone({ from }: ScanRequest): boolean {
  const value = from?.value as { done?: boolean } | undefined;
  if (value && !value.done) throw snapshotLost();
  return value !== undefined;
}
