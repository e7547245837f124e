import { elementCount } from '@skiplane/core';
import { unzlibSync } from 'fflate';
import { damaged, type Hdf5Bytes } from './hdf5-bytes.ts';
import { indexedChunks, treeChunks, type Chunk, type Grid } from './hdf5-chunks.ts';
import { messageTypes, readDataspace, readDatatype, readMaxima, type Datatype, type Message } from './hdf5-messages.ts';

/** What an object holds. */
export interface DataObject {
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  /** All elements, row by row. */
  readonly read: () => Uint8Array;
}

/** A data set; undefined when the object is none. */
export function readDataObject(file: Hdf5Bytes, messages: readonly Message[]): DataObject | undefined {
  const find = (type: number): Message | undefined => messages.find((message) => message.type === type);
  const [space, type, layout] = [find(messageTypes.dataspace), find(messageTypes.datatype), find(messageTypes.layout)];
  if (space === undefined || type === undefined || layout === undefined) return undefined;
  const shape = readDataspace(file, space.at) ?? [0];
  const datatype = readDatatype(file, type.at);
  const filters = find(messageTypes.filters);
  const read = (): Uint8Array => {
    const bytes = elementCount(shape) * datatype.size;
    if (bytes > file.length * maxRatio)
      throw damaged(`a data set [${shape.join(',')}] would have ${bytes} bytes, in a file of ${file.length}`);
    const version = file.u8(layout.at);
    const kind = file.u8(layout.at + 1);
    if (version !== 3 && version !== 4)
      throw damaged(`a data set is laid out by version ${version}`, 'Such files cannot be read.');
    if (kind === 0) return file.slice(layout.at + 4, Math.min(file.u16(layout.at + 2), bytes));
    if (kind === 1) {
      const address = file.address(layout.at + 2);
      return address === undefined ? new Uint8Array(bytes) : file.slice(address, bytes);
    }
    if (kind !== 2) throw damaged(`a data set is laid out in the way ${kind}`, 'Such files cannot be read.');
    const packing = filters === undefined ? [] : readFilters(file, filters.at);
    const maxima = readMaxima(file, space.at) ?? shape;
    const cut = version === 3 ? cutByTree : cutByIndex;
    return readChunks(file, cut(file, layout.at, maxima, datatype.size, packing), shape, datatype.size, packing);
  };
  return { shape, datatype, read };
}

/** Deflate cannot make more of a byte. */
const maxRatio = 1032;

function readFilters(file: Hdf5Bytes, at: number): readonly number[] {
  const version = file.u8(at);
  const count = file.u8(at + 1);
  const filters: number[] = [];
  let next = at + (version === 1 ? 8 : 2);
  for (let i = 0; i < count; i++) {
    const id = file.u16(next);
    const hasName = version === 1 || id >= 256;
    const nameBytes = hasName ? file.u16(next + 2) : 0;
    const values = file.u16(next + (hasName ? 6 : 4));
    next += (hasName ? 8 : 6) + (version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes) + 4 * values;
    if (version === 1 && values % 2 === 1) next += 4;
    if (![1, 2, 3].includes(id))
      throw damaged(`a data set is packed by filter ${id}`, 'Deflated and shuffled data sets can be read.');
    filters.push(id);
  }
  return filters;
}

interface Cut {
  readonly grid: Grid;
  readonly chunks: Iterable<Chunk>;
  /** Whether chunks that the edge of the data set cuts are not packed. */
  readonly plainEdges: boolean;
}

type Filters = readonly number[];

/** Layout version 3. */
function cutByTree(file: Hdf5Bytes, layout: number, maxima: readonly number[], size: number, filters: Filters): Cut {
  checkRank(file.u8(layout + 2), maxima);
  const chunk = maxima.map((_, axis) => file.u32(layout + 11 + 4 * axis));
  const grid = gridOf(file, chunk, maxima, size, filters);
  return { grid, chunks: treeChunks(file, layout + 3, grid), plainEdges: false };
}

/** Layout version 4. */
function cutByIndex(file: Hdf5Bytes, layout: number, maxima: readonly number[], size: number, filters: Filters): Cut {
  const flags = file.u8(layout + 2);
  const rank = file.u8(layout + 3);
  checkRank(rank, maxima);
  const sizeBytes = file.u8(layout + 4);
  if (sizeBytes < 1 || sizeBytes > 8) throw damaged(`sizes of chunks have ${sizeBytes} bytes`);
  const chunk = maxima.map((_, axis) => file.uint(layout + 5 + sizeBytes * axis, sizeBytes));
  const grid = gridOf(file, chunk, maxima, size, filters);
  const chunks = indexedChunks(file, layout + 5 + sizeBytes * rank, grid, flags);
  return { grid, chunks, plainEdges: (flags & 1) !== 0 };
}

/** The elements' bytes are one more axis. */
function checkRank(rank: number, { length }: readonly number[]): void {
  if (rank !== length + 1) throw damaged(`a data set of ${length} axes has chunks of ${rank - 1}`);
}

function gridOf(
  file: Hdf5Bytes,
  chunk: readonly number[],
  maxima: readonly number[],
  size: number,
  filters: Filters,
): Grid {
  const bytes = elementCount(chunk) * size;
  if (bytes < 1 || bytes > file.length * maxRatio) throw damaged(`a data set has chunks [${chunk.join(',')}]`);
  const counts = maxima.map((most, axis) => Math.ceil(most / (chunk[axis] as number)));
  return { chunk, counts, bytes, filtered: filters.length > 0 };
}

function readChunks(
  file: Hdf5Bytes,
  { grid, chunks, plainEdges }: Cut,
  shape: readonly number[],
  size: number,
  filters: Filters,
): Uint8Array {
  const { chunk, bytes } = grid;
  const out = new Uint8Array(elementCount(shape) * size);
  let unpackedBytes = 0;
  for (const { address, size: packedBytes, mask, offsets } of chunks) {
    unpackedBytes += bytes;
    if (unpackedBytes > file.length * maxRatio + bytes)
      throw damaged('a data set has more chunks than its file can hold');
    const cutOff = offsets.some((offset, axis) => offset + (chunk[axis] as number) > (shape[axis] as number));
    const packing = plainEdges && cutOff ? [] : filters;
    const data = unpack(file.slice(address, packedBytes), packing, mask, bytes, size);
    copyChunk(data, chunk, offsets, shape, size, out);
  }
  return out;
}

function unpack(packed: Uint8Array, filters: readonly number[], mask: number, bytes: number, size: number): Uint8Array {
  let data = packed;
  for (let i = filters.length - 1; i >= 0; i--) {
    if (mask & (1 << i)) continue;
    if (filters[i] === 1) data = inflated(data, bytes);
    else if (filters[i] === 2) data = unshuffled(data, size);
    else data = data.subarray(0, -4);
  }
  if (data.length < bytes) throw damaged(`a chunk has ${data.length} bytes, not ${bytes}`);
  return data;
}

function inflated(data: Uint8Array, bytes: number): Uint8Array {
  try {
    // Room for a check sum behind the data; what is more than that is cut off.
    return unzlibSync(data, { out: new Uint8Array(bytes + 4) });
  } catch (error) {
    throw damaged(`a chunk cannot be unpacked (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Bytes that stand together by their place in an element, put back into elements. */
function unshuffled(data: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(data.length / size);
  const out = data.slice();
  for (let i = 0; i < count; i++)
    for (let byte = 0; byte < size; byte++) out[i * size + byte] = data[byte * count + i] as number;
  return out;
}

/** Copies a chunk to its place, row by row, without what lies outside the data set. */
function copyChunk(
  data: Uint8Array,
  chunk: readonly number[],
  offsets: readonly number[],
  shape: readonly number[],
  size: number,
  out: Uint8Array,
): void {
  const last = shape.length - 1;
  const width = Math.min(chunk[last] ?? 1, (shape[last] ?? 1) - (offsets[last] ?? 0));
  if (width <= 0) return;
  const rows = elementCount(chunk.slice(0, last));
  for (let row = 0; row < rows; row++) {
    let rest = row;
    let to = offsets[last] ?? 0;
    let inside = true;
    let stride = shape[last] ?? 1;
    for (let axis = last - 1; axis >= 0; axis--) {
      const place = (rest % (chunk[axis] as number)) + (offsets[axis] as number);
      rest = Math.floor(rest / (chunk[axis] as number));
      inside &&= place < (shape[axis] as number);
      to += place * stride;
      stride *= shape[axis] as number;
    }
    const from = row * (chunk[last] ?? 1) * size;
    if (inside) out.set(data.subarray(from, from + width * size), to * size);
  }
}
