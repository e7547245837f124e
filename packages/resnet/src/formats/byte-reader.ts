import type { FormatError } from '@skiplane/core';
import type { ByteSource } from '../byte-source.ts';

/** What is read at once of a file that is not in memory, and how much of it is kept. */
const pageBytes = 2 ** 16;
const keptPages = 64;

/** Reads single values anywhere in a source, little-endian, and never beyond its end; a file on a disk page by page. */
export class ByteReader {
  readonly source: ByteSource;
  readonly length: number;
  readonly #damaged: (problem: string) => FormatError;
  readonly #pages = new Map<number, Uint8Array>();
  /** What was read last, and where it begins; all of a source that is in memory. */
  #page: Uint8Array;
  #view: DataView;
  #start = 0;

  /** @param damaged  makes the error of a value that lies outside */
  constructor(source: ByteSource, damaged: (problem: string) => FormatError) {
    this.source = source;
    this.length = source.length;
    this.#damaged = damaged;
    this.#page = source instanceof Uint8Array ? source : new Uint8Array(0);
    this.#view = viewOf(this.#page);
  }

  u8(at: number): number {
    return this.#viewAt(at, 1).getUint8(at - this.#start);
  }

  u16(at: number): number {
    return this.#viewAt(at, 2).getUint16(at - this.#start, true);
  }

  u32(at: number): number {
    return this.#viewAt(at, 4).getUint32(at - this.#start, true);
  }

  i32(at: number): number {
    return this.#viewAt(at, 4).getInt32(at - this.#start, true);
  }

  f32(at: number): number {
    return this.#viewAt(at, 4).getFloat32(at - this.#start, true);
  }

  f64(at: number, little = true): number {
    return this.#viewAt(at, 8).getFloat64(at - this.#start, little);
  }

  big64(at: number): bigint {
    return this.#viewAt(at, 8).getBigUint64(at - this.#start, true);
  }

  /** A whole number from 0 up that a double holds exactly. */
  u64(at: number): number {
    const value = Number(this.big64(at));
    if (!Number.isSafeInteger(value)) throw this.#damaged(`the number at byte ${at} is absurd`);
    return value;
  }

  /** Bytes; a view where the source is in memory. */
  slice(at: number, length: number): Uint8Array {
    this.#check(at, length);
    if (this.source instanceof Uint8Array || length >= pageBytes) return this.source.subarray(at, at + length);
    this.#turnTo(at, length);
    // Who keeps a few bytes is not to keep a page.
    return this.#page.slice(at - this.#start, at - this.#start + length);
  }

  /** The place of a byte's first occurrence from a place on, or -1; the byte must come within `most`. */
  indexOf(byte: number, from: number, most: number): number {
    const end = Math.min(from + most, this.length);
    for (let at = from; at < end;) {
      this.#turnTo(at, 1);
      const found = this.#page.indexOf(byte, at - this.#start);
      const next = this.#start + (found < 0 ? this.#page.length : found);
      if (found >= 0) return next < end ? next : -1;
      at = next;
    }
    return -1;
  }

  #check(at: number, length: number): void {
    if (!(at >= 0 && length >= 0 && at + length <= this.length))
      throw this.#damaged(`it ends at byte ${this.length}, in the middle of a value`);
  }

  /** The page that has a few bytes; a place in it counts from `#start`. */
  #viewAt(at: number, length: number): DataView {
    this.#check(at, length);
    this.#turnTo(at, length);
    return this.#view;
  }

  #turnTo(at: number, length: number): void {
    if (at >= this.#start && at + length <= this.#start + this.#page.length) return;
    const start = Math.floor(at / pageBytes) * pageBytes;
    // Values across two pages are rare enough to be read by themselves.
    const across = at + length > start + pageBytes;
    const page = across ? this.source.subarray(at, at + length) : this.#kept(start);
    [this.#page, this.#view, this.#start] = [page, viewOf(page), across ? at : start];
  }

  #kept(start: number): Uint8Array {
    const page = this.#pages.get(start) ?? this.source.subarray(start, Math.min(start + pageBytes, this.source.length));
    this.#pages.delete(start);
    this.#pages.set(start, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > keptPages && oldest !== undefined) this.#pages.delete(oldest);
    return page;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
