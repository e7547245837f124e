import type { ByteSource } from '../byte-source.ts';
import { ByteReader } from './byte-reader.ts';
import { fileError } from './model-file.ts';

export const hdf5Format = 'HDF5';

export function damaged(problem: string, next?: string): ReturnType<typeof fileError> {
  return fileError(hdf5Format, problem, next);
}

/** Reads of structures in a file: each is work, and together they are bounded. */
const maxReads = 20_000_000;
const maxTextBytes = 2 ** 24;

/** An HDF5 file's bytes, which are never read beyond their end. Addresses and lengths have 8 bytes. */
export class Hdf5Bytes {
  readonly length: number;
  readonly #reader: ByteReader;
  #reads = 0;

  constructor(source: ByteSource) {
    this.#reader = new ByteReader(source, damaged);
    this.length = source.length;
  }

  u8(at: number): number {
    return this.#counted().u8(at);
  }

  u16(at: number): number {
    return this.#counted().u16(at);
  }

  u32(at: number): number {
    return this.#counted().u32(at);
  }

  /** A length. */
  u64(at: number): number {
    return this.#counted().u64(at);
  }

  /** An address; undefined where it says that there is none. */
  address(at: number): number | undefined {
    const value = this.#counted().big64(at);
    if (value === 0xffff_ffff_ffff_ffffn) return undefined;
    if (value >= BigInt(this.length)) throw damaged(`address ${value} lies behind the end at byte ${this.length}`);
    return Number(value);
  }

  /** A whole number of 1 to 8 bytes. */
  uint(at: number, size: number): number {
    let value = 0;
    for (let byte = size - 1; byte >= 0; byte--) value = value * 256 + this.u8(at + byte);
    if (!Number.isSafeInteger(value)) throw damaged(`the number at byte ${at} is absurd`);
    return value;
  }

  slice(at: number, length: number): Uint8Array {
    return this.#counted().slice(at, length);
  }

  text(at: number, length: number): string {
    if (length > maxTextBytes) throw damaged(`a text has ${length} bytes`);
    const bytes = this.slice(at, length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** A text that a zero ends. */
  terminatedText(at: number): string {
    const end = this.#counted().indexOf(0, at, maxTextBytes);
    if (end < 0) throw damaged('a name does not end');
    return this.text(at, end - at);
  }

  expect(at: number, signature: string): void {
    if (this.text(at, signature.length) !== signature) throw damaged(`there is no ${signature} at byte ${at}`);
  }

  #counted(): ByteReader {
    if (++this.#reads > maxReads) throw damaged('its structures go round in circles');
    return this.#reader;
  }
}
