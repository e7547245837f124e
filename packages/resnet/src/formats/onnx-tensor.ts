import { checkShape, fileError, type FileTensor } from './model-file.ts';
import { bytesOfElement, toFloat32 } from './numbers.ts';
import type { OnnxTensor } from './onnx-schema.ts';

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

/** @throws {FormatError} when its elements are not as many as its shape says */
export function onnxTensor({ name, dims, dataType, rawData, dataLocation, ...typed }: OnnxTensor): FileTensor {
  const dtype = dtypes[dataType] ?? `type ${dataType}`;
  const count = checkShape(format, name, dims);
  const values =
    [typed.floatData, typed.int64Data, typed.int32Data, typed.doubleData].find(({ length }) => length > 0) ?? [];
  if (dataLocation === 1)
    throw fileError(format, `tensor '${name}' lies in another file`, 'Save the model in one file.');
  const needed = count * (bytesOfElement(dtype) ?? 0);
  if (values.length > 0 ? values.length !== count : rawData.length !== needed) {
    throw fileError(
      format,
      `tensor '${name}' [${dims.join(',')}] of ${dtype} has ${values.length || `${rawData.length} bytes for ${needed}`}${values.length > 0 ? ' elements' : ''}`,
    );
  }
  const read = (): Float32Array => {
    if (values.length === 0) return toFloat32(rawData, dtype, count);
    // As integers, halves are their bits.
    const halves = dtype === 'float16' || dtype === 'bfloat16';
    return halves
      ? toFloat32(new Uint8Array(Uint16Array.from(values).buffer), dtype, count)
      : Float32Array.from(values);
  };
  return { name, shape: dims, dtype, read };
}
