/** Constants of Keras's example "trains a ResNet on the CIFAR-10 dataset" that hold where no recipe says otherwise. */

/** Scale of the L2 penalty on convolution filters: the loss grows by 1e-4·Σw², the gradient by 2e-4·w. */
export const kerasL2: L2Settings = { filters: 1e-4, dense: 0 };

export const kerasBatchNorm: BatchNormSettings = { momentum: 0.99, epsilon: 1e-3, movingVariance: 'biased' };

/** Scales of the penalty scale·Σw² that the loss carries; a "weight decay" d of other tools is a scale of d/2. */
export interface L2Settings {
  /** On the filters of convolutions. */
  readonly filters: number;
  /** On the kernel of the last layer. */
  readonly dense: number;
}

export interface BatchNormSettings {
  /** moving ← momentum·moving + (1 − momentum)·batch. */
  readonly momentum: number;
  readonly epsilon: number;
  /** The batch variance that enters the moving one: 'biased' as in Keras 3, 'unbiased' as in Keras 2 (and PyTorch). */
  readonly movingVariance: 'biased' | 'unbiased';
}
