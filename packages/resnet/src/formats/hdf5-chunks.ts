import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';
import { leaves } from './hdf5-groups.ts';
import { recordTypes, records } from './hdf5-tree2.ts';

/** A piece of a data set, packed by its filters. */
export interface Chunk {
  readonly address: number;
  /** As it is packed. */
  readonly size: number;
  /** Filters that are left out, bit by bit. */
  readonly mask: number;
  /** Of its first element, along each axis. */
  readonly offsets: readonly number[];
}

/** How a data set is cut. */
export interface Grid {
  readonly chunk: readonly number[];
  /** Chunks along each axis. */
  readonly counts: readonly number[];
  /** Of a chunk that is not packed. */
  readonly bytes: number;
  readonly filtered: boolean;
}

type Chunks = Generator<Chunk>;

/** Chunks by a version 1 B-tree. @param at  where its address stands */
export function* treeChunks(file: Hdf5Bytes, at: number, { chunk: { length: rank } }: Grid): Chunks {
  const tree = file.address(at);
  if (tree === undefined) return;
  for (const { key, address } of leaves(file, tree, 1, 8 + 8 * (rank + 1))) {
    const offsets = Array.from({ length: rank }, (_, axis) => file.u64(key + 8 + 8 * axis));
    yield { address, size: file.u32(key), mask: file.u32(key + 4), offsets };
  }
}

/**
 * Chunks by one of the indexes of layout version 4: 1 is a single chunk, 2 all of them one behind the other, 3 a fixed array,
 * 5 a version 2 B-tree.
 * @param at  where the number of the index stands
 */
export function* indexedChunks(file: Hdf5Bytes, at: number, grid: Grid, flags: number): Chunks {
  const { chunk, bytes, filtered } = grid;
  const offsets = chunk.map(() => 0);
  const kind = file.u8(at);
  if (kind === 1) {
    const packed = (flags & 2) !== 0;
    const address = file.address(at + (packed ? 13 : 1));
    const [size, mask] = packed ? [file.u64(at + 1), file.u32(at + 9)] : [bytes, 0];
    if (address !== undefined) yield { address, size, mask, offsets };
  } else if (kind === 2) {
    const address = file.address(at + 1);
    if (address === undefined) return;
    const count = grid.counts.reduce((product, size) => product * size, 1);
    for (let i = 0; i < count; i++)
      yield { address: address + i * bytes, size: bytes, mask: 0, offsets: offsetsOf(grid, i) };
  } else if (kind === 3) yield* arrayChunks(file, file.address(at + 2), grid);
  else if (kind === 5) yield* tree2Chunks(file, file.address(at + 7), grid, filtered);
  else {
    throw damaged(
      'a data set can grow along one axis, and keeps its chunks in an extensible array',
      'Write it with a fixed shape, or without libver="latest".',
    );
  }
}

/** @source https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html#subsubsec_fmt3_appendixc_fixedarr */
function* arrayChunks(file: Hdf5Bytes, at: number | undefined, grid: Grid): Chunks {
  if (at === undefined) return;
  file.expect(at, 'FAHD');
  const [filtered, entryBytes, pageBits] = [file.u8(at + 5) === 1, file.u8(at + 6), file.u8(at + 7)];
  const count = file.u64(at + 8);
  const block = file.address(at + 16);
  if (block === undefined) return;
  file.expect(block, 'FADB');
  const perPage = 2 ** pageBits;
  const paged = count > perPage;
  const pages = Math.ceil(count / perPage);
  const bitmap = block + 14;
  const first = paged ? bitmap + Math.ceil(pages / 8) + 4 : bitmap;
  const sizeBytes = entryBytes - 12;
  if (filtered ? sizeBytes < 1 || sizeBytes > 8 : entryBytes !== 8)
    throw damaged(`the array at byte ${at} has entries of ${entryBytes} bytes`);
  for (let i = 0; i < count; i++) {
    const page = Math.floor(i / perPage);
    // A page that holds nothing is not written.
    if (paged && (file.u8(bitmap + Math.floor(page / 8)) & (0x80 >> (page % 8))) === 0) continue;
    const entry = first + i * entryBytes + (paged ? 4 * page : 0);
    const address = file.address(entry);
    if (address === undefined) continue;
    const [size, mask] = filtered
      ? [file.uint(entry + 8, sizeBytes), file.u32(entry + 8 + sizeBytes)]
      : [grid.bytes, 0];
    yield { address, size, mask, offsets: offsetsOf(grid, i) };
  }
}

function* tree2Chunks(file: Hdf5Bytes, at: number | undefined, { chunk, bytes }: Grid, filtered: boolean): Chunks {
  if (at === undefined) return;
  const rank = chunk.length;
  const sizeBytes = filtered ? file.u16(at + 10) - 12 - 8 * rank : 0;
  if (sizeBytes < 0 || sizeBytes > 8) throw damaged(`the tree at byte ${at} has records of another size`);
  for (const record of records(file, at, filtered ? recordTypes.filteredChunk : recordTypes.chunk)) {
    const address = file.address(record);
    if (address === undefined) continue;
    const places = record + (filtered ? 12 + sizeBytes : 8);
    const offsets = chunk.map((size, axis) => file.u64(places + 8 * axis) * size);
    const [size, mask] = filtered ? [file.uint(record + 8, sizeBytes), file.u32(record + 8 + sizeBytes)] : [bytes, 0];
    yield { address, size, mask, offsets };
  }
}

/** Of the chunk with this number, row by row. */
function offsetsOf({ chunk, counts }: Grid, number: number): readonly number[] {
  const offsets = new Array<number>(chunk.length).fill(0);
  let rest = number;
  for (let axis = chunk.length - 1; axis >= 0; axis--) {
    const count = counts[axis] as number;
    offsets[axis] = (rest % count) * (chunk[axis] as number);
    rest = Math.floor(rest / count);
  }
  return offsets;
}
