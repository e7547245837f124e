import { elementCount, FormatError, formatShape } from '@skiplane/core';
import * as v from 'valibot';
import type { ByteSource } from '../byte-source.ts';
import { topLevelKeys } from './top-level-keys.ts';

/** A tensor of a file. */
export interface NamedTensor {
  readonly shape: readonly number[];
  /** Its values, whatever they are in the file. */
  readonly data: Float32Array;
  /** 'i8' where the file holds whole numbers of eight bits; left out where it holds float32. */
  readonly dtype?: 'i8' | undefined;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Headers longer than this are refused, as by the format's own reader. */
const maxHeaderBytes = 100_000_000;
const lengthBytes = 8;
const bytesPerValue = 4;

/**
 * Writes tensors as a safetensors file. The same content gives the same bytes: names are sorted, and so are the
 * keys of the metadata.
 * @source https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0)
    header['__metadata__'] = Object.fromEntries(Object.entries(metadata).toSorted(byName));
  const sorted = [...tensors].toSorted(byName);
  let end = 0;
  for (const [name, { shape, data, dtype }] of sorted) {
    if (name === '__metadata__' || data.length !== elementCount(shape)) {
      throw new FormatError(
        `tensor '${name}' cannot be written: ${data.length} values for the shape ${formatShape(shape)}.`,
      );
    }
    const type = dtype === 'i8' ? 'I8' : 'F32';
    header[name] = { dtype: type, shape, data_offsets: [end, (end += data.length * bytesOfDtype[type])] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Spaces behind the header align the data, which the format allows.
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(lengthBytes + headerBytes + end).fill(0x20, lengthBytes, lengthBytes + headerBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(text, lengthBytes);
  let at = lengthBytes + headerBytes;
  for (const [, { data, dtype }] of sorted) {
    if (dtype === 'i8') new Int8Array(bytes.buffer, at, data.length).set(data);
    else writeFloats(view, at, data);
    at += data.length * bytesOfDtype[dtype === 'i8' ? 'I8' : 'F32'];
  }
  return bytes;
}

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A tensor of any element type, whose bytes are read when they are asked for. */
interface TensorBytes {
  readonly shape: readonly number[];
  /** As the format writes it, such as `F32` or `BF16`. */
  readonly dtype: keyof typeof bytesOfDtype;
  readonly read: () => Uint8Array;
}

/** Where the tensors of a file are. */
export interface SafetensorsIndex {
  readonly tensors: ReadonlyMap<string, TensorBytes>;
  readonly metadata: Safetensors['metadata'];
}

const bytesOfDtype = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
};
const headerSchema = v.objectWithRest(
  { __metadata__: v.optional(v.record(v.string(), v.string())) },
  v.strictObject({
    dtype: v.picklist(
      Object.keys(bytesOfDtype) as (keyof typeof bytesOfDtype)[],
      'elements of this type cannot be read',
    ),
    shape: v.array(size),
    data_offsets: v.strictTuple([size, size]),
  }),
);

/**
 * Reads a safetensors file of float32 and int8 tensors, strictly: every byte of the data belongs to exactly one tensor.
 * @throws {FormatError} when the file is truncated, has trailing bytes, a header that is none, names twice, tensors that
 *   overlap or leave gaps, or shapes that do not fit their bytes
 */
export function decodeSafetensors(bytes: ByteSource): Safetensors {
  const { tensors, metadata } = withNumbers(indexSafetensors(bytes));
  const all = [...tensors].map(([name, { read, ...about }]): [string, NamedTensor] => [
    name,
    { ...about, data: read() },
  ]);
  return { tensors: new Map(all), metadata };
}

/** A tensor whose values are read when they are asked for. */
export interface UnreadTensor extends Omit<NamedTensor, 'data'> {
  readonly read: () => Float32Array;
}

/** What {@link decodeSafetensors} reads, still unread. @throws {FormatError} when there are elements of other types */
export function withNumbers({ tensors, metadata }: SafetensorsIndex) {
  const others = [...tensors].filter(([, { dtype }]) => dtype !== 'F32' && dtype !== 'I8');
  if (others.length > 0) throw unreadable(others.map(([name]) => `${name}.dtype: only F32 and I8 tensors can be read`));
  const all = [...tensors].map(([name, { shape, dtype, read }]): [string, UnreadTensor] => {
    if (dtype === 'I8') return [name, { shape, dtype: 'i8', read: () => wholeNumbers(read()) }];
    return [name, { shape, read: () => floats(read(), elementCount(shape)) }];
  });
  return { tensors: new Map(all), metadata };
}

function wholeNumbers({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return Float32Array.from(new Int8Array(buffer, byteOffset, byteLength));
}

function floats({ buffer, byteOffset, byteLength }: Uint8Array, count: number): Float32Array {
  return readFloats(new DataView(buffer, byteOffset, byteLength), 0, count);
}

/** Finds the tensors of a safetensors file of any element type, and reads none. @throws {FormatError} as {@link decodeSafetensors} */
export function indexSafetensors(bytes: ByteSource): SafetensorsIndex {
  const { header, dataStart } = readHeader(bytes);
  const { __metadata__: metadata = {}, ...entries } = header;
  const order = Object.entries(entries).toSorted(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
  const tensors = new Map<string, TensorBytes>();
  let end = 0;
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of order) {
    if (from !== end)
      throw invalid(
        `tensor '${name}' begins at byte ${from} of the data, but the one before it ends at ${end}: they must neither overlap nor leave a gap`,
      );
    const expected = elementCount(shape) * bytesOfDtype[dtype];
    if (to - from !== expected)
      throw invalid(`tensor '${name}' of shape ${formatShape(shape)} needs ${expected} bytes, but has ${to - from}`);
    if (dataStart + to > bytes.length)
      throw invalid(
        `tensor '${name}' ends at byte ${dataStart + to}, but the file has ${bytes.length}: it is truncated`,
      );
    tensors.set(name, { shape, dtype, read: () => bytes.subarray(dataStart + from, dataStart + to) });
    end = to;
  }
  if (dataStart + end !== bytes.length) throw invalid(`${bytes.length - dataStart - end} bytes follow the last tensor`);
  return { tensors, metadata };
}

function readHeader(bytes: ByteSource): { header: v.InferOutput<typeof headerSchema>; dataStart: number } {
  if (bytes.length < lengthBytes)
    throw invalid(`it has ${bytes.length} bytes, fewer than the ${lengthBytes} of the header's length`);
  const first = bytes.subarray(0, lengthBytes);
  const length = new DataView(first.buffer, first.byteOffset, lengthBytes).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes))
    throw invalid(`its header would have ${length} bytes, more than the ${maxHeaderBytes} allowed`);
  const dataStart = lengthBytes + Number(length);
  if (dataStart > bytes.length)
    throw invalid(`its header has ${length} bytes, but the file only ${bytes.length}: it is truncated`);
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(lengthBytes, dataStart));
    json = JSON.parse(text);
  } catch (error) {
    throw invalid('its header is no JSON text', error);
  }
  if (!text.startsWith('{')) throw invalid('its header is no JSON object');
  const seen = new Set<string>();
  const twice = topLevelKeys(text).find((key) => seen.size === seen.add(key).size);
  if (twice !== undefined) throw invalid(`its header has two entries named '${twice}'`);
  const result = v.safeParse(headerSchema, json);
  if (!result.success) {
    const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'header'}: ${issue.message}`);
    throw unreadable(problems);
  }
  return { header: result.output, dataStart };
}

function unreadable(problems: readonly string[]): FormatError {
  return invalid(`its header breaks the format: ${problems.join('; ')}`);
}

function invalid(problem: string, cause?: unknown): FormatError {
  return new FormatError(
    `this is no valid safetensors file: ${problem}. Use a copy that is whole.`,
    { problem },
    cause,
  );
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function writeFloats(view: DataView, at: number, data: Float32Array): void {
  if (littleEndian && at % bytesPerValue === 0) new Float32Array(view.buffer, at, data.length).set(data);
  else data.forEach((value, i) => view.setFloat32(at + i * bytesPerValue, value, true));
}

function readFloats(view: DataView, at: number, count: number): Float32Array {
  if (littleEndian) {
    const start = view.byteOffset + at;
    return new Float32Array(view.buffer.slice(start, start + count * bytesPerValue) as ArrayBuffer);
  }
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(at + i * bytesPerValue, true));
}
