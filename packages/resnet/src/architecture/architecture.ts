import type { ConvPadding } from '../network-builder.ts';

/**
 * What a unit adds its branch to where the shape changes, as He et al. 2015, §3.3, name it:
 *
 * - `A`: the input itself, every other pixel of it, with channels of zeros; no parameters
 * - `B`: a projection by a 1×1 convolution; the input itself where the shape stays
 * - `C`: a projection in every unit
 * - `unchanged`: the input itself where the shape stays, nothing where it changes, as in highway networks
 * - `none`: nothing anywhere, which is a plain net
 */
export type Shortcut = 'A' | 'B' | 'C' | 'unchanged' | 'none';

/**
 * Where normalization and activation stand.
 *
 * - `postActivation`: conv → batch norm → relu, the last relu behind the addition (He et al. 2015)
 * - `normalizedAddition`: the last batch norm, too, stands behind the addition
 * - `activatedBranch`: the last relu stands before the addition, which adds nothing negative
 * - `reluPreActivation`: relu → conv → batch norm, nothing behind the addition
 * - `preActivation`: batch norm → relu → conv, nothing behind the addition (He et al. 2016); a projection sees the
 *   activated input, and the net ends in a batch norm and a relu
 * - `openPreActivation`: the same, but the net ends with the last addition
 *
 * @source He et al. 2016, figure 4 (a) to (e)
 */
export type UnitOrder =
  | 'postActivation'
  | 'normalizedAddition'
  | 'activatedBranch'
  | 'reluPreActivation'
  | 'preActivation'
  | 'openPreActivation';

/**
 * How shortcut s and branch F of a unit with input x meet; g(x) = sigmoid(W·x + bias) is a convolution, with as many channels.
 *
 * - `add`: s + F
 * - `scale`: shortcut·s + branch·F
 * - `dropout`: D(s) + F; D keeps an element of s with a probability of `keep` in training, and is keep·s at inference
 * - `exclusiveGate`: (1 − g)·s + g·F, as in highway networks
 * - `shortcutGate`: (1 − g)·s + F
 *
 * @source He et al. 2016, figure 2; Srivastava et al. 2015, §2
 */
export type Junction =
  | { readonly kind: 'add' }
  | { readonly kind: 'dropout'; readonly keep: number }
  | { readonly kind: 'scale'; readonly shortcut: number; readonly branch: number }
  | {
      readonly kind: 'exclusiveGate' | 'shortcutGate';
      readonly kernelSize: number;
      /** That the gate's bias begins with; a negative one lets the shortcut through. */
      readonly bias: number;
    };

/** One convolution of a unit's branch. */
export interface BranchConvolution {
  readonly kernelSize: number;
  /** Its filters, in widths of the stage. */
  readonly expansion: number;
  /** Whether it is the one that has the unit's stride. */
  readonly strided: boolean;
}

/** Units in a row, the first of which has the stride. */
export interface Stage {
  readonly units: number;
  readonly width: number;
  readonly strides: number;
}

export interface Stem {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
  /** Whether a 3×3 max pooling of stride 2 follows. */
  readonly pool: boolean;
}

/** A residual network as data; `residualNet` makes layers of it. */
export interface Architecture {
  readonly padding: ConvPadding;
  /** Whether convolutions have a bias. */
  readonly bias: boolean;
  readonly stem: Stem;
  readonly stages: readonly Stage[];
  readonly branch: readonly BranchConvolution[];
  readonly order: UnitOrder;
  readonly shortcut: Shortcut;
  /** Default: add. */
  readonly junction?: Junction;
  /** Default: true. Without batch norms, convolutions need a bias. */
  readonly batchNorm?: boolean;
}

/** Two 3×3 convolutions. */
export const basicBranch: Architecture['branch'] = [
  { kernelSize: 3, expansion: 1, strided: true },
  { kernelSize: 3, expansion: 1, strided: false },
];

/** 1×1, 3×3, 1×1, with the stride in the first, as in both papers. */
export const bottleneckBranch: Architecture['branch'] = [
  { kernelSize: 1, expansion: 1, strided: true },
  { kernelSize: 3, expansion: 1, strided: false },
  { kernelSize: 1, expansion: 4, strided: false },
];

/** The same with the stride in the 3×3 convolution, so that no pixel goes unseen: "v1.5", as in torchvision. */
export const stridedMiddleBranch: Architecture['branch'] = [
  { kernelSize: 1, expansion: 1, strided: false },
  { kernelSize: 3, expansion: 1, strided: true },
  { kernelSize: 1, expansion: 4, strided: false },
];
