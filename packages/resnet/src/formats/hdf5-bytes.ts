import { fileError } from './model-file.ts';

export const hdf5Format = 'HDF5';

export function damaged(problem: string, next?: string): ReturnType<typeof fileError> {
  return fileError(hdf5Format, problem, next);
}

/** Reads of structures in a file: each is work, and together they are bounded. */
const maxReads = 20_000_000;

/** An HDF5 file's bytes, which are never read beyond their end. Addresses and lengths have 8 bytes. */
export class Hdf5Bytes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #reads = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#within(at, 1));
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#within(at, 2), true);
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#within(at, 4), true);
  }

  /** A length. */
  u64(at: number): number {
    const value = Number(this.#view.getBigUint64(this.#within(at, 8), true));
    if (!Number.isSafeInteger(value)) throw damaged(`the number at byte ${at} is absurd`);
    return value;
  }

  /** An address; undefined where it says that there is none. */
  address(at: number): number | undefined {
    const value = this.#view.getBigUint64(this.#within(at, 8), true);
    if (value === 0xffff_ffff_ffff_ffffn) return undefined;
    if (value >= BigInt(this.bytes.length))
      throw damaged(`address ${value} lies behind the end at byte ${this.bytes.length}`);
    return Number(value);
  }

  /** A whole number of 1, 2, 4 or 8 bytes. */
  uint(at: number, size: number): number {
    return size === 1 ? this.u8(at) : size === 2 ? this.u16(at) : size === 4 ? this.u32(at) : this.u64(at);
  }

  slice(at: number, length: number): Uint8Array {
    this.#within(at, length);
    return this.bytes.subarray(at, at + length);
  }

  text(at: number, length: number): string {
    const bytes = this.slice(at, length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  expect(at: number, signature: string): void {
    if (this.text(at, signature.length) !== signature) throw damaged(`there is no ${signature} at byte ${at}`);
  }

  #within(at: number, length: number): number {
    if (!(at >= 0 && length >= 0 && at + length <= this.bytes.length))
      throw damaged(`it ends at byte ${this.bytes.length}, in the middle of a value`);
    if (++this.#reads > maxReads) throw damaged('its structures go round in circles');
    return at;
  }
}
