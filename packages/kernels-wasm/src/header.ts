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
}

const headerWords = 8;
export const headerBytes = headerWords * 4;

export function writeHeader(heap: Heap, offset: number, header: Header): void {
  const { records, recordCount, recordBytes, counters, scratch, scratchBytes, barrier, threads } = header;
  heap
    .i32(offset, headerWords)
    .set([records, recordCount, recordBytes, counters, scratch, scratchBytes, barrier, threads]);
}

/** The headers of single ops, which share the records and counters of their program. @param counts  records of each */
export function splitHeader(whole: Header, counts: readonly number[]): readonly Header[] {
  let { records, counters } = whole;
  return counts.map((recordCount) => {
    const header = { ...whole, records, counters, recordCount };
    records += recordCount * whole.recordBytes;
    counters += recordCount * 4;
    return header;
  });
}
