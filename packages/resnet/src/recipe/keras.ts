import { kerasAugmentation } from './augmentation.ts';
import { kerasBatchNorm, kerasL2 } from './keras-constants.ts';
import { kerasAdam } from './optimizer.ts';
import type { Recipe } from './recipe.ts';
import { kerasSchedule } from './schedule.ts';

/** Keras's example "trains a ResNet on the CIFAR-10 dataset", known flaws included. */
export const kerasRecipe: Recipe = {
  name: 'keras',
  epochs: 200,
  batchSize: 32,
  optimizer: kerasAdam,
  learningRate: kerasSchedule,
  l2: kerasL2,
  labelSmoothing: 0,
  batchNorm: kerasBatchNorm,
  augmentation: kerasAugmentation,
  validation: { kind: 'test' },
  callbacks: [
    {
      kind: 'ModelCheckpoint',
      filepath: 'saved_models/cifar10_{model}_model.{epoch:03d}.safetensors',
      monitor: 'val_accuracy',
      mode: 'auto',
      saveBestOnly: true,
      saveWeightsOnly: false,
      initialValueThreshold: null,
      verbose: 0,
    },
    {
      kind: 'ReduceLROnPlateau',
      monitor: 'val_loss',
      mode: 'auto',
      factor: Math.sqrt(0.1),
      patience: 5,
      minDelta: 1e-4,
      cooldown: 0,
      minLr: 0.5e-6,
      verbose: 0,
    },
    { kind: 'LearningRateScheduler', combine: 'set' },
  ],
  notes: [
    "the accuracies in the example's own table are the best of 200 epochs on the test images, with an older network: expect less at the last epoch",
  ],
};
