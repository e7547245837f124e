import { headerBytes, writeHeader, type Header } from './header.ts';
import type { Heap } from './heap.ts';
import { align, type KernelRecord } from './lower/lowering.ts';
import type { Chunks } from './parts.ts';
import type { Move } from './records.ts';
import { alone, type Turn } from './schedule.ts';

/** A record and its place among those that it runs with. */
export interface PlacedRecord extends KernelRecord, Turn {}

/** A record that runs alone. */
export const byItself = (record: KernelRecord): PlacedRecord => ({ ...record, ...alone(record) });

/** Records to be written, of one part of a program. */
export interface Listing {
  /** A list for every thread where there are chunks, else one. */
  readonly copies: readonly (readonly PlacedRecord[])[];
  readonly chunks: Chunks | null;
  readonly moves: readonly Move[];
}

/** What all headers of a program have in common. */
export type Shared = Pick<Header, 'scratch' | 'scratchBytes' | 'barrier' | 'threads'>;

const moveBytes = 12;
/** Words before the operands of a record, as the class Head of assembly/program.ts lays them out. */
const headWords = 6;

interface Sizes {
  readonly recordCount: number;
  readonly recordBytes: number;
  readonly copyBytes: number;
  readonly bytes: number;
}

function sizesOf({ copies, moves }: Listing): Sizes {
  const [records = []] = copies;
  const recordCount = records.length;
  const recordBytes = 4 * (headWords + Math.max(0, ...records.map(({ words }) => words.length)));
  // Threads write to their copies: no two on one cache line.
  const copyBytes = align(recordCount * recordBytes);
  return {
    recordCount,
    recordBytes,
    copyBytes,
    bytes: copies.length * copyBytes + align(recordCount * 4) + align(moves.length * moveBytes),
  };
}

/** Bytes of {@link writeCode}. */
export function codeBytes(listings: readonly Listing[]): number {
  return listings.reduce((sum, listing) => sum + sizesOf(listing).bytes, align(listings.length * headerBytes));
}

/** Writes the headers, one behind the other from `start` on, and behind them the lists. */
export function writeCode(heap: Heap, start: number, listings: readonly Listing[], shared: Shared): readonly Header[] {
  let next = start + align(listings.length * headerBytes);
  return listings.map((listing, index) => {
    const { recordCount, recordBytes, copyBytes, bytes } = sizesOf(listing);
    const { copies, chunks, moves } = listing;
    const counters = next + copies.length * copyBytes;
    const header: Header = {
      ...shared,
      records: next,
      recordCount,
      recordBytes,
      counters,
      chunks: chunks?.count ?? 0,
      chunkImages: chunks?.images ?? 0,
      lastFirst: chunks?.lastFirst ?? 0,
      copyBytes,
      moves: counters + align(recordCount * 4),
      moveCount: moves.length,
    };
    copies.forEach((records, copy) =>
      records.forEach((record, i) => writeRecord(heap, next + copy * copyBytes + i * recordBytes, record)),
    );
    const words = moves.flatMap((move) => [wordOffset(header, move), move.base, move.step]);
    heap.i32(header.moves, words.length).set(words);
    writeHeader(heap, start + index * headerBytes, header);
    next += bytes;
    return header;
  });
}

/** Moves the operands of the first copy to the chunk that begins with an image. */
export function moveTo(heap: Heap, header: Header, moves: readonly Move[], image: number): void {
  for (const move of moves) heap.i32(header.records + wordOffset(header, move), 1)[0] = move.base + image * move.step;
}

const wordOffset = ({ recordBytes }: Header, { record, word }: Move): number =>
  record * recordBytes + 4 * (headWords + word);

function writeRecord(
  heap: Heap,
  offset: number,
  { opcode, span, units, steps, share, meet, words }: PlacedRecord,
): void {
  const integers = heap.i32(offset, headWords + words.length);
  const floats = heap.f32(offset, headWords + words.length);
  integers.set([opcode, span, units, steps, share, meet ? 1 : 0]);
  words.forEach(([type, value], i) => {
    if (type === 'f32') floats[headWords + i] = value;
    else integers[headWords + i] = value;
  });
}
