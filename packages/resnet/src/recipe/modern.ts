import type { Recipe } from './recipe.ts';

/** A short recipe of today's usual parts. */
export const modernRecipe: Recipe = {
  name: 'modern',
  // A tenth and less of the older recipes: one cycle of the rate ends low, so no epoch is spent at a rate that no longer helps.
  epochs: 30,
  // Small batches take more steps an epoch, and on a processor no more time: a step's values stay in the caches.
  batchSize: 32,
  // Nesterov's look-ahead costs nothing and lets the peak of the cycle be higher.
  optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
  // Smith & Topin 2018: up over the first quarter, down to nearly nothing. The cycle always spans the whole run, so a run of
  // any number of epochs ends converged.
  learningRate: {
    kind: 'oneCycle',
    start: 0.005,
    peak: 0.05,
    final: 0.00005,
    rise: 0.25,
    shape: 'linear',
    warmUp: null,
  },
  // A weight decay of 2e-4: with so few epochs it keeps the effective rate of batch-normalized filters up (van Laarhoven 2017);
  // more of it holds back networks of 16 filters.
  l2: { filters: 1e-4, dense: 1e-4 },
  // Small networks in few epochs fit too little, not too much.
  labelSmoothing: 0,
  // The moving statistics follow within 10 steps instead of 100: evaluations of a fast-changing network are not stale.
  batchNorm: { momentum: 0.9, epsilon: 1e-5, movingVariance: 'biased' },
  // Whole pixels: cheaper than Keras's shifts, and no blur; the usual for CIFAR-10.
  augmentation: { kind: 'crop', padding: 4, flip: true, cutout: 0 },
  // 5,000 of the 50,000 training images: the test images choose nothing.
  validation: { kind: 'holdout', size: 0.1, seed: 1 },
  callbacks: [],
  notes: [],
};
