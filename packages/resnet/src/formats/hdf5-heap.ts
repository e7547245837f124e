import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';
import { bytesFor, recordTypes, records } from './hdf5-tree2.ts';

/** Where an object of a heap lies in the file. */
interface HeapObject {
  readonly at: number;
  readonly size: number;
}

/** What is known of a heap: blocks of doubling sizes, `width` of them a row. */
interface Heap {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly width: number;
  readonly firstBytes: number;
  readonly directRows: number;
  readonly root: number | undefined;
  /** Of the root, when it lists blocks; 0 when it is one. */
  readonly rows: number;
  readonly hugeTree: number | undefined;
}

const idTypes = { managed: 0, huge: 1 };
const maxDepth = 20;

/**
 * Finds objects of a fractal heap by their identifiers, which lie in the file, too.
 * @throws {FormatError} when the heap is damaged, or packed by filters
 * @source https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html#subsubsec_fmt3_infra_fractal_heap
 */
export function openHeap(file: Hdf5Bytes, at: number): (id: number) => HeapObject {
  file.expect(at, 'FRHP');
  if (file.u16(at + 7) !== 0) throw damaged('a heap is packed by filters', 'Such files cannot be read.');
  const [firstBytes, mostBytes] = [file.u64(at + 112), file.u64(at + 120)];
  const offsetBytes = Math.ceil(file.u16(at + 128) / 8);
  const heap: Heap = {
    offsetBytes,
    lengthBytes: Math.min(Math.ceil(Math.log2(mostBytes) / 8), bytesFor(file.u32(at + 10))),
    width: file.u16(at + 110),
    firstBytes,
    directRows: Math.log2(mostBytes) - Math.log2(firstBytes) + 2,
    root: file.address(at + 132),
    rows: file.u16(at + 140),
    hugeTree: file.address(at + 22),
  };
  const idBytes = file.u16(at + 5);
  const powers = [firstBytes, mostBytes].every((size) => Number.isInteger(Math.log2(size)));
  if (!powers || heap.width < 1 || offsetBytes > 8 || idBytes < 1 + offsetBytes + heap.lengthBytes)
    throw damaged(`the heap at byte ${at} has absurd sizes`);
  return (id) => {
    const type = (file.u8(id) >> 4) & 3;
    if (type === idTypes.huge) return hugeObject(file, heap, file.uint(id + 1, Math.min(8, idBytes - 1)));
    if (type !== idTypes.managed)
      throw damaged(`a heap keeps objects in the way ${type}`, 'Such files cannot be read.');
    const offset = file.uint(id + 1, offsetBytes);
    return { at: placeOf(file, heap, offset), size: file.uint(id + 1 + offsetBytes, heap.lengthBytes) };
  };
}

/** Larger objects lie by themselves, and a tree has their places by numbers. */
function hugeObject(file: Hdf5Bytes, { hugeTree }: Heap, number: number): HeapObject {
  for (const record of hugeTree === undefined ? [] : records(file, hugeTree, recordTypes.hugeObject)) {
    if (file.u64(record + 16) === number) return { at: file.address(record) ?? 0, size: file.u64(record + 8) };
  }
  throw damaged(`object ${number} is not in its heap`);
}

/** Where an offset in the heap lies in the file; offsets count the heads of blocks, too. */
function placeOf(file: Hdf5Bytes, heap: Heap, offset: number): number {
  let [block, rows, start] = [heap.root, heap.rows, 0];
  for (let depth = 0; rows > 0 && depth < maxDepth; depth++) {
    if (block === undefined) break;
    file.expect(block, 'FHIB');
    const { row, column, from, size } = rowOf(heap, rows, offset - start);
    const entries = block + 13 + heap.offsetBytes;
    block = file.address(entries + 8 * (row * heap.width + column));
    start += from + column * size;
    rows = row < heap.directRows ? 0 : Math.log2(size) - Math.log2(heap.firstBytes * heap.width) + 1;
  }
  if (block === undefined || rows !== 0) throw damaged('an object lies outside its heap');
  file.expect(block, 'FHDB');
  return block + offset - start;
}

/** The row and column of a block list that have an offset, where the row begins, and the size of its blocks. */
function rowOf({ width, firstBytes }: Heap, rows: number, offset: number) {
  let from = 0;
  for (let row = 0; row < rows; row++) {
    const size = firstBytes * 2 ** Math.max(row - 1, 0);
    if (offset < from + width * size) return { row, column: Math.floor((offset - from) / size), from, size };
    from += width * size;
  }
  throw damaged('an object lies outside its heap');
}
