import type { Recipe } from './recipe.ts';

/** He et al. 2015, §4.2: what the paper trained its CIFAR-10 networks with. */
export const he2015Recipe: Recipe = {
  name: 'he2015',
  // 45,000 images in batches of 128 are 352 steps an epoch: the 64,000 steps of the paper end in the 182nd.
  epochs: 182,
  batchSize: 128,
  optimizer: { kind: 'sgd', momentum: 0.9, nesterov: false },
  learningRate: {
    kind: 'piecewise',
    by: 'iteration',
    boundaries: [32_000, 48_000],
    rates: [0.1, 0.01, 0.001],
    // The paper needs it for 110 layers only: see `he2015WarmUpRecipe`.
    warmUp: null,
  },
  // A weight decay of 1e-4 adds 1e-4·w to the gradient; the penalty scale·Σw² adds 2·scale·w.
  l2: { filters: 0.5e-4, dense: 0.5e-4 },
  labelSmoothing: 0,
  // Not in the paper; the values of Torch, in which its authors published their code.
  batchNorm: { momentum: 0.9, epsilon: 1e-5, movingVariance: 'unbiased' },
  augmentation: { kind: 'crop', padding: 4, flip: true, cutout: 0 },
  // 5,000 of the 50,000 training images.
  validation: { kind: 'holdout', size: 0.1, seed: 1 },
  callbacks: [],
  notes: [
    'biases and batch norms do not decay here; the paper does not say whether they did',
    "the paper's own networks, with shortcuts free of parameters and no biases, are he20, he32, …; resnet<depth>v1 are the Keras example's",
    'for 110 layers the paper begins at 0.01 until the training error is below 80 %: recipe he2015-warmup',
  ],
};

/** The same with the warm-up that the paper gives its 110 layers: 0.01 until the training error is below 80 %. */
export const he2015WarmUpRecipe: Recipe = {
  ...he2015Recipe,
  name: 'he2015-warmup',
  learningRate: { ...he2015Recipe.learningRate, warmUp: { kind: 'untilAccuracy', rate: 0.01, accuracy: 0.2 } },
  notes: [
    ...he2015Recipe.notes.slice(0, 2),
    'the training error is looked at as an epoch ends, which is about when the paper changes over (400 steps)',
  ],
};
