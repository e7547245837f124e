import { elementCount } from '@skiplane/core';
import { datasetHeader, groupHeader, type TextPlace } from './hdf5-headers.ts';

/** A data set to be written. */
export interface Hdf5Values {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** A group to be written: texts and lists of texts as its attributes, and what it holds. */
export interface Hdf5Group {
  readonly attributes: ReadonlyMap<string, string | readonly string[]>;
  readonly links: ReadonlyMap<string, Hdf5Group | Hdf5Values>;
}

/** A group of names with slashes in them: one group below another. */
export function hdf5Group(
  values: ReadonlyMap<string, Hdf5Group | Hdf5Values> = new Map(),
  attributes: ReadonlyMap<string, string | readonly string[]> = new Map(),
): Hdf5Group {
  const links = new Map<string, Hdf5Group | Hdf5Values>();
  const below = new Map<string, Map<string, Hdf5Group | Hdf5Values>>();
  for (const [path, value] of values) {
    const slash = path.indexOf('/');
    if (slash < 0) links.set(path, value);
    else {
      const inner = below.get(path.slice(0, slash)) ?? new Map<string, Hdf5Group | Hdf5Values>();
      below.set(path.slice(0, slash), inner.set(path.slice(slash + 1), value));
    }
  }
  for (const [name, inner] of below) links.set(name, hdf5Group(inner));
  return { attributes, links };
}

/**
 * Writes an HDF5 file in the form that all versions of the library read: contiguous data sets, links and attributes in the
 * headers of their objects, texts in one heap. The same content gives the same bytes.
 * @source https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 */
export function encodeHdf5(root: Hdf5Group): Uint8Array<ArrayBuffer> {
  const file = new Encoder();
  return file.finish(file.group(root));
}

const superblockBytes = 96;
const undefinedAddress = 0xffff_ffff_ffff_ffffn;
/** Smallest heap that the library accepts. */
const minHeapBytes = 4096;

class Encoder {
  #end = superblockBytes;
  readonly #parts: (readonly [at: number, bytes: Uint8Array])[] = [];
  readonly #texts: Uint8Array[] = [];
  /** Headers that mention the heap, whose address is known at the end. */
  readonly #headers: (readonly [at: number, build: (heap: number) => Uint8Array])[] = [];

  group({ attributes, links }: Hdf5Group): number {
    const children = [...links].map(([name, child]) => ({
      name,
      address: 'links' in child ? this.group(child) : this.#dataset(child),
    }));
    const placed = [...attributes].map(([name, value]) => ({
      name,
      value: typeof value === 'string' ? this.#text(value) : value,
    }));
    const build = (heap: number): Uint8Array => groupHeader(children, placed, heap);
    const at = this.#allocate(build(0).length);
    this.#headers.push([at, build]);
    return at;
  }

  finish(root: number): Uint8Array<ArrayBuffer> {
    const heap = this.#end;
    if (this.#texts.length > 0) this.#append(heapOf(this.#texts));
    const bytes = new Uint8Array(this.#end);
    writeSuperblock(new DataView(bytes.buffer), root, this.#end);
    for (const [at, part] of this.#parts) bytes.set(part, at);
    for (const [at, build] of this.#headers) bytes.set(build(heap), at);
    return bytes;
  }

  #dataset({ shape, data }: Hdf5Values): number {
    const address = this.#append(littleEndian(data));
    return this.#append(datasetHeader(shape, data instanceof Int32Array, address, elementCount(shape) * 4));
  }

  #text(text: string): TextPlace {
    const bytes = new TextEncoder().encode(text);
    this.#texts.push(bytes);
    return { length: bytes.length, number: this.#texts.length };
  }

  #append(bytes: Uint8Array): number {
    const at = this.#allocate(bytes.length);
    this.#parts.push([at, bytes]);
    return at;
  }

  #allocate(length: number): number {
    const at = this.#end;
    this.#end += Math.ceil(length / 8) * 8;
    return at;
  }
}

function writeSuperblock(view: DataView, root: number, end: number): void {
  [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].forEach((byte, at) => view.setUint8(at, byte));
  view.setUint8(13, 8);
  view.setUint8(14, 8);
  // Sizes of nodes that no group here has.
  view.setUint16(16, 4, true);
  view.setUint16(18, 16, true);
  view.setBigUint64(32, undefinedAddress, true);
  view.setBigUint64(40, BigInt(end), true);
  view.setBigUint64(48, undefinedAddress, true);
  view.setBigUint64(64, BigInt(root), true);
}

/** A heap of texts, numbered from 1, and the room that is left in it. */
function heapOf(texts: readonly Uint8Array[]): Uint8Array {
  const used = texts.reduce((sum, { length }) => sum + 16 + Math.ceil(length / 8) * 8, 16);
  const size = Math.max(minHeapBytes, used + 16);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('GCOL'));
  view.setUint8(4, 1);
  view.setBigUint64(8, BigInt(size), true);
  let at = 16;
  texts.forEach((text, index) => {
    view.setUint16(at, index + 1, true);
    view.setUint16(at + 2, 1, true);
    view.setBigUint64(at + 8, BigInt(text.length), true);
    bytes.set(text, at + 16);
    at += 16 + Math.ceil(text.length / 8) * 8;
  });
  view.setBigUint64(at + 8, BigInt(size - at), true);
  return bytes;
}

const littleEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes of numbers of four bytes: a view of them on all but rare machines. */
export function littleEndian(data: Float32Array | Int32Array): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (littleEndianHost) return bytes;
  const copy = bytes.slice();
  for (let at = 0; at < copy.length; at += 4) copy.subarray(at, at + 4).reverse();
  return copy;
}
