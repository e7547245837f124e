import type { ByteSource } from '../byte-source.ts';
import { checkShape, fileError, type FileTensor } from './model-file.ts';
import { bytesOfElement, toFloat32 } from './numbers.ts';
import { contentElsewhere } from './onnx-other-files.ts';
import type { OnnxTensor } from './onnx-schema.ts';
import { varintsOf } from './protobuf-reader.ts';
import { joinedSources } from './source-parts.ts';

const format = 'ONNX';

/** By number. */
const dtypes: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

/**
 * @param files  those in which tensors may lie
 * @throws {FormatError} when its elements are not as many as its shape says
 */
export function onnxTensor(tensor: OnnxTensor, files: ReadonlyMap<string, ByteSource> = new Map()): FileTensor {
  const { name, dims, dataType } = tensor;
  const dtype = dtypes[dataType] ?? `type ${dataType}`;
  const count = checkShape(format, name, dims);
  return { name, shape: dims, dtype, read: readerOf(tensor, dtype, count, files) };
}

function readerOf(
  tensor: OnnxTensor,
  dtype: string,
  count: number,
  files: ReadonlyMap<string, ByteSource>,
): () => Float32Array {
  const { rawData, floatData, doubleData, int32Data, int64Data } = tensor;
  const needed = count * (bytesOfElement(dtype) ?? 0);
  if (tensor.dataLocation === 1) {
    const content = contentElsewhere(tensor, needed, files);
    return () => toFloat32(content(), dtype, count);
  }
  for (const [pieces, type, bytes] of [
    [floatData, 'float32', 4],
    [doubleData, 'float64', 8],
  ] as const) {
    if (pieces.length === 0) continue;
    const source = joinedSources(pieces);
    if (source.length !== bytes * count) throw wrongCount(tensor, dtype, `${source.length / bytes} elements`);
    return () => toFloat32(source.subarray(0, source.length), type, count);
  }
  const whole = [...int64Data, ...int32Data];
  if (whole.length > 0) return () => wholeNumbers(tensor, dtype, count, joinedSources(whole));
  if (rawData.length !== needed) throw wrongCount(tensor, dtype, `${rawData.length} bytes for ${needed}`);
  return () => toFloat32(rawData.subarray(0, needed), dtype, count);
}

/** As integers, halves are their bits. */
function wholeNumbers(tensor: OnnxTensor, dtype: string, count: number, source: ByteSource): Float32Array {
  const values = varintsOf(source.subarray(0, source.length), (problem) => fileError(format, problem));
  if (values.length !== count) throw wrongCount(tensor, dtype, `${values.length} elements`);
  const halves = dtype === 'float16' || dtype === 'bfloat16';
  return halves ? toFloat32(new Uint8Array(Uint16Array.from(values).buffer), dtype, count) : Float32Array.from(values);
}

function wrongCount({ name, dims }: OnnxTensor, dtype: string, has: string) {
  return fileError(format, `tensor '${name}' [${dims.join(',')}] of ${dtype} has ${has}`);
}
