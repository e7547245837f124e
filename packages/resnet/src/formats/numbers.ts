import { FormatError } from '@skiplane/core';

/** Element types of files: bytes each, and how one is read as a number. */

interface ElementType {
  readonly bytes: number;
  read(view: DataView, at: number): number;
}

const elementTypes: Readonly<Record<string, ElementType>> = {
  float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  float16: { bytes: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  bfloat16: { bytes: 2, read: (view, at) => bfloatToNumber(view.getUint16(at, true)) },
  int64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  uint64: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  int32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  uint32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  int16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  uint16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  int8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  bool: { bytes: 1, read: (view, at) => view.getUint8(at) },
};

/** Undefined for a type that cannot be read. */
export function bytesOfElement(dtype: string): number | undefined {
  return Object.hasOwn(elementTypes, dtype) ? elementTypes[dtype]?.bytes : undefined;
}

const littleEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Little-endian elements as float32: a view where the bytes are float32 and aligned, else a copy.
 * @throws {FormatError} when the type is not known, or the bytes are too few
 */
export function toFloat32(bytes: Uint8Array, dtype: string, count: number): Float32Array {
  const type = Object.hasOwn(elementTypes, dtype) ? elementTypes[dtype] : undefined;
  if (type === undefined) {
    throw new FormatError(`elements of type '${dtype}' cannot be read: ${Object.keys(elementTypes).join(', ')} can.`);
  }
  if (bytes.length < count * type.bytes) {
    throw new FormatError(
      `${count} elements of type '${dtype}' need ${count * type.bytes} bytes, but there are ${bytes.length}.`,
    );
  }
  if (dtype === 'float32' && littleEndianHost) {
    return bytes.byteOffset % 4 === 0
      ? new Float32Array(bytes.buffer, bytes.byteOffset, count)
      : new Float32Array(new Uint8Array(bytes.subarray(0, count * 4)).buffer);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = type.read(view, i * type.bytes);
  return values;
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function bfloatToNumber(bits: number): number {
  word[0] = bits << 16;
  return float[0] as number;
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
