import { UnsupportedError, type OpKind } from '@skiplane/core';

/** @throws {UnsupportedError} always: int8 has no kernels here */
function refuse(kind: OpKind): () => never {
  return () => {
    throw new UnsupportedError(
      `'${kind}' is an op of int8, for which the gpu backend has no kernels: use the wasm backend, or the weights before they were quantized.`,
      { kind },
    );
  };
}

export const quantize = refuse('quantize');
export const dequantize = refuse('dequantize');
export const quantizedConv2d = refuse('quantizedConv2d');
