import type { Padding2d } from '@skiplane/core';
import type { ModelShape } from '../model.ts';

type Pair = readonly [height: number, width: number];

/** What each kind of layer needs to be known of it, besides its inputs and parameters. Activations are NHWC. */
export interface LayerAttrs {
  /** Parameters `filter` [height, width, inChannels, filters], and `bias` [filters] when `bias`. */
  readonly conv2d: {
    readonly filters: number;
    readonly kernelSize: Pair;
    readonly strides: Pair;
    readonly padding: Padding2d;
    readonly bias: boolean;
  };
  /** Parameter `bias` [channels]. */
  readonly bias: Record<never, never>;
  /** Parameters `gamma`, `beta`, `mean`, `variance` [channels]. */
  readonly batchNorm: { readonly epsilon: number };
  readonly relu: Record<never, never>;
  /** Of two inputs or more. */
  readonly add: Record<never, never>;
  readonly maxPool: { readonly size: Pair; readonly strides: Pair; readonly padding: Padding2d };
  /** The mean leaves padding out of its count. */
  readonly averagePool: { readonly size: Pair; readonly strides: Pair; readonly padding: Padding2d };
  /** [batch, height, width, channels] to [batch, 1, 1, channels]. */
  readonly globalAveragePool: Record<never, never>;
  /** Parameters `kernel` [features, units], and `bias` [units] when `bias`. */
  readonly dense: { readonly units: number; readonly bias: boolean };
  /** To [batch, features], row by row, channels innermost. */
  readonly flatten: Record<never, never>;
  /** Zeros around the image. */
  readonly pad: { readonly padding: Padding2d };
  /** Channels of zeros. */
  readonly padChannels: { readonly before: number; readonly after: number };
  /** Every n-th row and column, from the first. */
  readonly subsample: { readonly strides: Pair };
  /** Two inputs or more, one behind the other along the channels. */
  readonly concat: Record<never, never>;
  /** To whole numbers of eight bits: x / scale, rounded. */
  readonly quantize: { readonly scale: number };
  /** From whole numbers of eight bits: x · scale. */
  readonly dequantize: { readonly scale: number };
  /**
   * Of whole numbers of eight bits: core's `quantizedConv2d`. Parameters `filter` [height, width, inChannels, filters], of eight
   * bits, `multiplier` and `bias` [filters].
   */
  readonly quantizedConv2d: {
    readonly filters: number;
    readonly kernelSize: Pair;
    readonly strides: Pair;
    readonly padding: Padding2d;
    /** What a second input is multiplied by before it is added; null where there is none. */
    readonly residual: number | null;
    readonly relu: boolean;
  };
}

export type LayerKind = keyof LayerAttrs;

interface LayerOf<K extends LayerKind> {
  /** Unique; a parameter is named `<name>/<role>`, such as `conv1/filter`. */
  readonly name: string;
  readonly kind: K;
  /** Names of the layers before it, or {@link inputName}. */
  readonly inputs: readonly string[];
  readonly attrs: LayerAttrs[K];
}

export type LayerNode<K extends LayerKind = LayerKind> = { [P in K]: LayerOf<P> }[K];

/** What stands for the image batch among the inputs of a layer. */
export const inputName = 'input';

/** A network as data that JSON can hold: layers in an order in which they can run. Its output are logits, no softmax. */
export interface LayerGraph extends ModelShape {
  readonly layers: readonly LayerNode[];
  /** The layer that gives the logits: [batch, classes]. */
  readonly output: string;
}
