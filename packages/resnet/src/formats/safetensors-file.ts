import { outlineCheckpoint } from '../checkpoint/decode.ts';
import { checkpointFormat } from '../checkpoint/encode.ts';
import type { ByteSource } from '../byte-source.ts';
import { indexSafetensors } from '../checkpoint/safetensors.ts';
import type { FileTensor, ModelDirectory } from './model-file.ts';
import { toFloat32 } from './numbers.ts';
import { elementCount } from '@skiplane/core';

const dtypes = {
  BOOL: 'bool',
  U8: 'uint8',
  I8: 'int8',
  I16: 'int16',
  U16: 'uint16',
  F16: 'float16',
  BF16: 'bfloat16',
  I32: 'int32',
  U32: 'uint32',
  F32: 'float32',
  I64: 'int64',
  U64: 'uint64',
  F64: 'float64',
} as const;

/** A file that begins with the length of a header, and with one. */
export function looksLikeSafetensors(source: ByteSource): boolean {
  if (source.length <= 9) return false;
  const head = source.subarray(0, 9);
  return head[8] === 0x7b && new DataView(head.buffer, head.byteOffset).getUint32(4, true) === 0;
}

/** Reads a checkpoint of this library, or weights with PyTorch's names: the header now, tensors later. @throws {FormatError} when it is damaged */
export async function readSafetensorsFile(source: ByteSource): Promise<ModelDirectory> {
  const index = indexSafetensors(source);
  const { tensors: entries, metadata } = index;
  const tensors = new Map<string, FileTensor>();
  for (const [name, { shape, dtype, read }] of entries) {
    const type = dtypes[dtype];
    tensors.set(name, { name, shape, dtype: type, read: () => toFloat32(read(), type, elementCount(shape)) });
  }
  const own = metadata['format'] === checkpointFormat;
  // Who only reads checkpoints need not load the readers of others.
  const outline = own
    ? () => outlineCheckpoint(index)
    : await import('./state-dict.ts').then(
        ({ stateDictOutline }) =>
          () =>
            stateDictOutline([...tensors.values()]),
      );
  return {
    format: own ? 'skiplane-checkpoint' : 'safetensors',
    tensors,
    metadata,
    outline,
  };
}
