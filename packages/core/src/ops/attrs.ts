/** How a window moves over an image; padding is explicit and may be asymmetric. */
export interface Window2d {
  readonly strides: readonly [height: number, width: number];
  readonly padding: Padding2d;
}

export interface Padding2d {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Window2d of an op that has no filter operand, such as pooling. */
export interface SizedWindow2d extends Window2d {
  readonly size: readonly [height: number, width: number];
}

export type Activation = 'none' | 'relu';

/** Which batch variance enters the moving variance: Keras 3 takes the biased one, Keras 2 (fused) the unbiased one. */
export type MovingVariance = 'biased' | 'unbiased';

/** How a sampled coordinate between pixels is read: the nearest pixel, or linearly between its neighbours. */
export type InterpolationOrder = 0 | 1;

/** The list of ops. Everything else is a mapped type over it. */
export interface OpAttrs {
  conv2d: {
    readonly window: Window2d;
    readonly bias: boolean;
    readonly residual: boolean;
    readonly activation: Activation;
  };
  conv2dBackpropInput: {
    readonly window: Window2d;
    readonly inputSize: readonly [height: number, width: number];
    readonly residual: boolean;
    /** 'relu': the result is multiplied by [y > 0], y being one more operand. */
    readonly activationGrad: Activation;
  };
  conv2dBackpropFilter: { readonly window: Window2d; readonly filterSize: readonly [height: number, width: number] };
  biasAdd: Record<never, never>;
  biasAddGrad: Record<never, never>;
  batchNormTraining: {
    readonly epsilon: number;
    readonly momentum: number;
    readonly movingVariance: MovingVariance;
    readonly residual: boolean;
    readonly activation: Activation;
  };
  batchNormRecompute: { readonly epsilon: number; readonly residual: boolean; readonly activation: Activation };
  batchNormInference: { readonly epsilon: number; readonly residual: boolean; readonly activation: Activation };
  batchNormGrad: { readonly residual: boolean };
  relu: Record<never, never>;
  reluGrad: Record<never, never>;
  sigmoid: Record<never, never>;
  sigmoidGrad: Record<never, never>;
  add: Record<never, never>;
  multiply: Record<never, never>;
  affine: { readonly scale: number; readonly offset: number };
  /** `stream` tells the random numbers of one op of a graph apart from those of another. */
  dropout: { readonly keep: number; readonly scale: number; readonly stream: number };
  maxPool2d: { readonly window: SizedWindow2d };
  maxPool2dGrad: { readonly window: SizedWindow2d };
  averagePool2d: { readonly window: SizedWindow2d };
  averagePool2dGrad: { readonly window: SizedWindow2d; readonly inputSize: readonly [height: number, width: number] };
  matMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  reshape: { readonly shape: readonly number[] };
  padChannels: { readonly before: number; readonly after: number };
  sliceChannels: { readonly first: number; readonly count: number };
  fill: { readonly shape: readonly number[]; readonly value: number };
  broadcastScalar: { readonly shape: readonly number[] };
  reduceSum: Record<never, never>;
  l2Penalty: { readonly scale: number };
  l2PenaltyGrad: { readonly scale: number };
  softmax: Record<never, never>;
  softmaxGrad: Record<never, never>;
  softmaxCrossEntropy: { readonly labelSmoothing: number };
  softmaxCrossEntropyGrad: { readonly labelSmoothing: number };
  topKCorrect: { readonly k: number };
  adam: AdamAttrs;
  adamW: AdamAttrs;
  sgdMomentum: GuardedAttrs & { readonly momentum: number; readonly nesterov: boolean };
  assignAdd: Record<never, never>;
  gatherImages: {
    /** Whether the images are shifted and flipped by one more operand. */
    readonly transformed: boolean;
    readonly interpolationOrder: InterpolationOrder;
  };
  /** y = x·multiplier as a whole number of eight bits. */
  quantize: { readonly multiplier: number };
  dequantize: { readonly scale: number };
  quantizedConv2d: {
    readonly window: Window2d;
    /** What the elements of one more operand, `residual`, are multiplied by; null where there is none. */
    readonly residual: number | null;
    readonly activation: Activation;
  };
  unscaleGradient: Record<never, never>;
  updateLossScale: { readonly growthSteps: number; readonly minimum: number; readonly maximum: number };
}

/** Of the optimizers. */
export interface GuardedAttrs {
  /** Whether one more operand, `norm`, decides if the step is taken: where it is NaN or infinite, nothing changes (default false). */
  readonly guarded?: boolean;
}

interface AdamAttrs extends GuardedAttrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export type OpKind = keyof OpAttrs;
