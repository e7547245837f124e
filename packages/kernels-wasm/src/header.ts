import type { Heap } from './heap.ts';

/** A list of records to run, as the class Program of assembly/program.ts lays it out. */
export interface Header {
  /** Byte offset of the first record. */
  readonly records: number;
  readonly recordCount: number;
  readonly recordBytes: number;
  /** Byte offset of one task counter a record, zero before each run. */
  readonly counters: number;
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly barrier: number;
  readonly threads: number;
  /** Pieces of the batch, which a thread takes through all records; 0 where all threads run each record together. */
  readonly chunks: number;
  /** Images of a chunk, and the first one of the last chunk. */
  readonly chunkImages: number;
  readonly lastFirst: number;
  /** Bytes from a thread's records to the next thread's. */
  readonly copyBytes: number;
  /** Byte offset of the operands that move from chunk to chunk. */
  readonly moves: number;
  readonly moveCount: number;
}

const headerWords = 14;
export const headerBytes = headerWords * 4;

export function writeHeader(heap: Heap, offset: number, header: Header): void {
  const { records, recordCount, recordBytes, counters, scratch, scratchBytes, barrier, threads } = header;
  const { chunks, chunkImages, lastFirst, copyBytes, moves, moveCount } = header;
  const own = [records, recordCount, recordBytes, counters, scratch, scratchBytes, barrier, threads];
  const ofChunks = [chunks, chunkImages, lastFirst, copyBytes, moves, moveCount];
  heap.i32(offset, headerWords).set([...own, ...ofChunks]);
}

/** The headers of single ops, which share the records and counters of their program. @param counts  records of each */
export function splitHeader(whole: Header, counts: readonly number[]): readonly Header[] {
  let { records, counters } = whole;
  return counts.map((recordCount) => {
    const header = { ...whole, records, counters, recordCount, chunks: 0 };
    records += recordCount * whole.recordBytes;
    counters += recordCount * 4;
    return header;
  });
}
