import { decodeCheckpoint } from '../checkpoint/decode.ts';
import { checkpointFormat } from '../checkpoint/encode.ts';
import { indexSafetensors } from '../checkpoint/safetensors.ts';
import type { FileTensor, ModelFile } from './model-file.ts';
import { toFloat32 } from './numbers.ts';
import { stateDictNetwork } from './state-dict.ts';
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
export function looksLikeSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 9 && bytes[8] === 0x7b && new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) === 0;
}

/** Reads a checkpoint of this library, or weights with PyTorch's names. @throws {FormatError} when it is damaged */
export function readSafetensorsFile(bytes: Uint8Array): ModelFile {
  const { tensors: entries, metadata } = indexSafetensors(bytes);
  const tensors = new Map<string, FileTensor>();
  for (const [name, { shape, dtype, bytes: data }] of entries) {
    const type = dtypes[dtype];
    tensors.set(name, { name, shape, dtype: type, read: () => toFloat32(data, type, elementCount(shape)) });
  }
  const own = metadata['format'] === checkpointFormat;
  return {
    format: own ? 'skiplane-checkpoint' : 'safetensors',
    tensors,
    metadata,
    network: () => (own ? decodeCheckpoint(bytes) : stateDictNetwork([...tensors.values()])),
  };
}
