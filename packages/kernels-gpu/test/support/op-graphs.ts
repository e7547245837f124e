import {
  GraphBuilder,
  opDef,
  samePadding,
  window2d,
  type Graph,
  type OpAttrs,
  type OpDef,
  type OpKind,
  type TensorSpec,
} from '@skiplane/core';
import { f32 } from './graphs.ts';

type Case<K extends OpKind> = readonly [attrs: OpAttrs[K], operands: readonly TensorSpec[]];

const x = f32(2, 9, 9, 8);
const vector = f32(8);
const y = f32(2, 9, 9, 12);
const same = window2d(1, samePadding([9, 9], [3, 3], [1, 1]));
const strided = window2d(2, samePadding([9, 9], [3, 3], [2, 2]));
const odd = f32(2, 5, 5, 5);
const pool = { ...window2d(2), size: [2, 2] } as const;
const rows = f32(3, 10);
const none = { activation: 'none' } as const;

const unary: readonly Case<'relu'>[] = [
  [{}, [x]],
  [{}, [f32(7)]],
  [{}, [f32()]],
];
const binary: readonly Case<'add'>[] = [
  [{}, [x, x]],
  [{}, [f32(7), f32(7)]],
];

/** Attributes and operands that reach every kernel: whole vectors of channels and odd ones, each optional operand and none. */
const cases: { readonly [K in OpKind]: readonly Case<K>[] } = {
  conv2d: [
    [{ window: same, bias: false, residual: false, ...none }, [x, f32(3, 3, 8, 12)]],
    [{ window: same, bias: true, residual: true, activation: 'relu' }, [x, f32(3, 3, 8, 12), f32(12), y]],
    [{ window: strided, bias: true, residual: false, ...none }, [x, f32(3, 3, 8, 5), f32(5)]],
    [
      { window: window2d(1), bias: true, residual: true, activation: 'relu' },
      [odd, f32(1, 1, 5, 3), f32(3), f32(2, 5, 5, 3)],
    ],
  ],
  conv2dBackpropInput: [
    [{ window: same, inputSize: [9, 9], residual: false, activationGrad: 'none' }, [f32(3, 3, 8, 12), y]],
    [{ window: same, inputSize: [9, 9], residual: true, activationGrad: 'relu' }, [f32(3, 3, 8, 12), y, x, x]],
    [
      { window: strided, inputSize: [9, 9], residual: false, activationGrad: 'relu' },
      [f32(3, 3, 8, 12), f32(2, 5, 5, 12), x],
    ],
    [
      { window: window2d(2), inputSize: [5, 5], residual: true, activationGrad: 'none' },
      [f32(1, 1, 5, 3), f32(2, 3, 3, 3), odd],
    ],
  ],
  conv2dBackpropFilter: [
    [{ window: same, filterSize: [3, 3] }, [x, y]],
    [{ window: strided, filterSize: [3, 3] }, [x, f32(2, 5, 5, 5)]],
    [{ window: window2d(1), filterSize: [1, 1] }, [odd, odd]],
  ],
  biasAdd: [
    [{}, [x, vector]],
    [{}, [rows, f32(10)]],
  ],
  biasAddGrad: [
    [{}, [x]],
    [{}, [f32(400, 5)]],
    [{}, [rows]],
  ],
  batchNormTraining: [
    [
      { epsilon: 1e-3, momentum: 0.9, movingVariance: 'biased', residual: false, ...none },
      [x, vector, vector, vector, vector],
    ],
    [
      { epsilon: 1e-3, momentum: 0.9, movingVariance: 'unbiased', residual: true, activation: 'relu' },
      [x, vector, vector, vector, vector, x],
    ],
    [
      { epsilon: 1e-3, momentum: 0.9, movingVariance: 'biased', residual: false, ...none },
      [odd, f32(5), f32(5), f32(5), f32(5)],
    ],
  ],
  batchNormRecompute: [[{ epsilon: 1e-3, residual: true, activation: 'relu' }, [x, vector, vector, x]]],
  batchNormInference: [
    [{ epsilon: 1e-3, residual: false, ...none }, [x, vector, vector, vector, vector]],
    [{ epsilon: 1e-3, residual: true, activation: 'relu' }, [odd, f32(5), f32(5), f32(5), f32(5), odd]],
  ],
  batchNormGrad: [
    [{ residual: false }, [x, x, vector, vector, vector]],
    [{ residual: true }, [x, x, vector, vector, vector, x]],
    [{ residual: false }, [odd, odd, f32(5), f32(5), f32(5)]],
  ],
  relu: unary,
  reluGrad: binary,
  sigmoid: unary,
  sigmoidGrad: binary,
  add: binary,
  multiply: binary,
  affine: [[{ scale: 2, offset: 1 }, [x]]],
  dropout: [[{ keep: 0.5, scale: 2, stream: 1 }, [x, { shape: [4], dtype: 'i32' }]]],
  maxPool2d: [
    [{ window: pool }, [x]],
    [{ window: pool }, [odd]],
  ],
  maxPool2dGrad: [
    [{ window: pool }, [f32(2, 4, 4, 8), x, f32(2, 4, 4, 8)]],
    [{ window: pool }, [f32(2, 2, 2, 5), odd, f32(2, 2, 2, 5)]],
  ],
  averagePool2d: [
    [{ window: pool }, [x]],
    [{ window: pool }, [odd]],
  ],
  averagePool2dGrad: [
    [{ window: pool, inputSize: [9, 9] }, [f32(2, 4, 4, 8)]],
    [{ window: pool, inputSize: [5, 5] }, [f32(2, 2, 2, 5)]],
  ],
  matMul: [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB): Case<'matMul'> => [
      { transposeA, transposeB },
      [transposeA ? f32(64, 32) : f32(32, 64), transposeB ? f32(10, 64) : f32(64, 10)],
    ]),
  ),
  reshape: [[{ shape: [18, 72] }, [x]]],
  padChannels: [
    [{ before: 4, after: 4 }, [x]],
    [{ before: 0, after: 3 }, [odd]],
  ],
  sliceChannels: [
    [{ first: 2, count: 4 }, [x]],
    [{ first: 0, count: 5 }, [odd]],
  ],
  fill: [[{ shape: [5, 7], value: 3 }, []]],
  broadcastScalar: [[{ shape: [5, 7] }, [f32()]]],
  reduceSum: [
    [{}, [rows]],
    [{}, [f32(100, 1000)]],
  ],
  l2Penalty: [
    [{ scale: 1e-4 }, [rows]],
    [{ scale: 1e-4 }, [f32(100, 1000)]],
  ],
  l2PenaltyGrad: [[{ scale: 1e-4 }, [f32(), rows]]],
  softmax: [[{}, [rows]]],
  softmaxGrad: [[{}, [rows, rows]]],
  softmaxCrossEntropy: [0, 0.1].map((labelSmoothing): Case<'softmaxCrossEntropy'> => [
    { labelSmoothing },
    [rows, rows],
  ]),
  softmaxCrossEntropyGrad: [0, 0.1].map((labelSmoothing): Case<'softmaxCrossEntropyGrad'> => [
    { labelSmoothing },
    [f32(3), rows, rows],
  ]),
  topKCorrect: [[{ k: 1 }, [rows, rows]]],
  adam: [
    [{ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }, [x, x, x, x, f32()]],
    [{ beta1: 0.9, beta2: 0.999, epsilon: 1e-7, guarded: true }, [x, x, x, x, f32(), f32()]],
  ],
  adamW: [[{ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }, [x, x, x, x, f32(), f32()]]],
  sgdMomentum: [false, true].map((nesterov): Case<'sgdMomentum'> => [{ momentum: 0.9, nesterov }, [x, x, x, f32()]]),
  assignAdd: [[{}, [x, x]]],
  gatherImages: [
    [{ transformed: false, interpolationOrder: 1 }, images(false)],
    [{ transformed: true, interpolationOrder: 1 }, images(true)],
    [{ transformed: true, interpolationOrder: 0 }, images(true)],
  ],
  // Refused.
  quantize: [],
  dequantize: [],
  quantizedConv2d: [],
  unscaleGradient: [[{}, [x, f32()]]],
  updateLossScale: [[{ growthSteps: 2000, minimum: 1, maximum: 2 ** 24 }, [f32(), f32(), f32()]]],
};

function images(transformed: boolean): readonly TensorSpec[] {
  const operands = [
    { shape: [9, 32, 32, 3], dtype: 'u8' },
    f32(256),
    f32(32, 32, 3),
    { shape: [5], dtype: 'i32' },
  ] as const;
  return transformed ? [...operands, f32(5, 7)] : operands;
}

/** Graphs of one op each. */
export function opGraphs(): readonly Graph[] {
  return (Object.keys(cases) as OpKind[]).flatMap((kind) =>
    (cases[kind] as readonly Case<OpKind>[]).map((opCase) => graphOf(kind, opCase)),
  );
}

function graphOf<K extends OpKind>(kind: K, [attrs, operands]: Case<K>): Graph {
  const build = new GraphBuilder(kind);
  const def: OpDef<K> = opDef(kind);
  const names = def.operands(attrs);
  const inputs = operands.map((spec, i) => build.input(names[i] ?? `operand ${i}`, spec));
  build.opOutputs(kind, inputs, attrs, 'case');
  return build.build();
}
