import type { Recipe } from './recipe.ts';

/** A short recipe of today's usual parts. */
export const modernRecipe: Recipe = {
  name: 'modern',
  // A tenth and less of the older recipes: one cycle of the rate ends low, so no epoch is spent at a rate that no longer helps.
  epochs: 30,
  // 128 keeps both the matrices of a step and its noise at a good size.
  batchSize: 128,
  // Nesterov's look-ahead costs nothing and lets the peak of the cycle be higher.
  optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
  // Smith & Topin 2018: up over the first quarter, down to nearly nothing. The cycle always spans the whole run, so a run of
  // any number of epochs ends converged.
  learningRate: {
    kind: 'oneCycle',
    start: 0.02,
    peak: 0.2,
    final: 0.0002,
    rise: 0.25,
    shape: 'linear',
    warmUp: null,
  },
  // A weight decay of 5e-4: small networks of 16 filters would take less, but with so few epochs it is what keeps the
  // effective rate of batch-normalized filters up (van Laarhoven 2017).
  l2: { filters: 2.5e-4, dense: 2.5e-4 },
  // Keeps the last layer from growing to chase certainty (Szegedy et al. 2016).
  labelSmoothing: 0.1,
  // The moving statistics follow within 10 steps instead of 100: evaluations of a fast-changing network are not stale.
  batchNorm: { momentum: 0.9, epsilon: 1e-5, movingVariance: 'biased' },
  // Whole pixels: cheaper than Keras's shifts, and no blur; the usual for CIFAR-10.
  augmentation: { kind: 'crop', padding: 4, flip: true, cutout: 0 },
  // 5,000 of the 50,000 training images: the test images choose nothing.
  validation: { kind: 'holdout', size: 0.1, seed: 1 },
  callbacks: [],
  notes: [],
};
