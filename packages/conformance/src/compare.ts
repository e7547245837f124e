import type { TypedArray } from '@skiplane/core';

/** A case that a backend fails. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
}

/** The first element whose bits differ, or -1. */
export function firstDifference(a: TypedArray, b: TypedArray): number {
  const other = bitsOf(b);
  return bitsOf(a).findIndex((word, i) => word !== other[i]);
}

const bitsOf = (data: TypedArray): Uint32Array | Uint8Array | Int8Array =>
  data.BYTES_PER_ELEMENT === 1
    ? (data as Uint8Array | Int8Array)
    : new Uint32Array(data.buffer, data.byteOffset, data.length);
