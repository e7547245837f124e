import type { Op, OpAttrs, OpKind } from '@skiplane/core';

/** An op that treats every image of a batch by itself. */
interface PerImage<K extends OpKind> {
  /** Operands with an image's share in each row of their first axis; all others are the same for every image. */
  operands(attrs: OpAttrs[K]): readonly number[];
  /** Whether the kernel stores whole vectors, and may write up to 12 bytes behind a share that is not made of them. */
  readonly wholeVectors?: true;
}

const first = { operands: () => [0] };
const firstTwo = { operands: () => [0, 1] };

/** The kinds there are of them; of the others, a result depends on several images, or on none. */
const perImage: { readonly [K in OpKind]?: PerImage<K> } = {
  conv2d: { operands: ({ bias, residual }) => (residual ? [0, bias ? 3 : 2] : [0]) },
  biasAdd: first,
  batchNormInference: { operands: ({ residual }) => (residual ? [0, 5] : [0]) },
  relu: { ...first, wholeVectors: true },
  sigmoid: { ...first, wholeVectors: true },
  add: { ...firstTwo, wholeVectors: true },
  multiply: { ...firstTwo, wholeVectors: true },
  affine: { ...first, wholeVectors: true },
  maxPool2d: first,
  averagePool2d: first,
  matMul: first,
  reshape: first,
  padChannels: first,
  sliceChannels: first,
  softmax: first,
  softmaxCrossEntropy: firstTwo,
  topKCorrect: firstTwo,
  quantize: { ...first, wholeVectors: true },
  dequantize: { ...first, wholeVectors: true },
  quantizedConv2d: { operands: ({ residual }) => (residual === null ? [0] : [0, 4]) },
  gatherImages: { operands: ({ transformed }) => (transformed ? [3, 4] : [3]) },
};

/** Operands with an image's share in each row, if the op treats every image by itself. */
export function imageOperands<K extends OpKind>(op: Op<K>): readonly number[] | undefined {
  if (op.kind === 'matMul' && (op as Op<'matMul'>).attrs.transposeA) return undefined;
  const rule: PerImage<K> | undefined = perImage[op.kind];
  return rule?.operands(op.attrs);
}

export function storesWholeVectors({ kind }: Op): boolean {
  return perImage[kind]?.wholeVectors ?? false;
}
