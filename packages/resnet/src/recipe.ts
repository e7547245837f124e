/** The constants of Keras's example "trains a ResNet on the CIFAR-10 dataset". */

/** Scale of the L2 penalty on convolution filters: the loss grows by 1e-4·Σw², the gradient by 2e-4·w. */
export const kerasL2 = 1e-4;

export const kerasBatchNorm = { momentum: 0.99, epsilon: 1e-3 } as const;

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  /** In the epsilon-hat form: added to √v after the bias correction went into the rate. */
  readonly epsilon: number;
}

export const kerasAdam: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

/** Batch size and epochs of the example; the paper trains with batches of 128. */
export const kerasTraining = { batchSize: 32, epochs: 200 } as const;

/** Shifts of the example's augmentation, as a fraction of the image's size in each direction. */
export const kerasShiftRange = 0.1;

/** A constant rate, or the example's schedule. */
export type LearningRate = number | 'keras';

/** The learning rate of an epoch, 0-based. */
export function learningRateAt(learningRate: LearningRate, epoch: number): number {
  return learningRate === 'keras' ? kerasSchedule(epoch) : learningRate;
}

/** The example's `lr_schedule`: 1e-3, and 1e-4, 1e-5, 1e-6, 5e-7 after epochs 80, 120, 160, 180 (0-based, strictly after). */
export function kerasSchedule(epoch: number): number {
  if (epoch > 180) return 0.5e-6;
  if (epoch > 160) return 1e-6;
  if (epoch > 120) return 1e-5;
  if (epoch > 80) return 1e-4;
  return 1e-3;
}
