import { ValueError } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import {
  builtInRecipes,
  parseSetting,
  recipeChanges,
  recipeDifferences,
  recipeNames,
  recipeNotes,
  recipeWithSettings,
  resolveRecipe,
  type Recipe,
} from '../src/index.ts';

const withSettings = (name: string, ...settings: string[]): Recipe =>
  recipeWithSettings(name, {}, settings.map(parseSetting));
/** A recipe with shortcuts. */
const changes = (shortcuts: Parameters<typeof recipeChanges>[0], base: Recipe): Recipe =>
  resolveRecipe(base, recipeChanges(shortcuts, base));
const messageOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(ValueError);
    return (error as ValueError).message;
  }
  throw new Error('nothing was thrown');
};

describe('the built-in recipes', () => {
  it.each(recipeNames)('%s is plain JSON, and whole', (name) => {
    const recipe = builtInRecipes[name];
    expect(resolveRecipe(name)).toEqual(recipe);
    expect(JSON.parse(JSON.stringify(recipe))).toEqual(recipe);
    expect(resolveRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
    expect(recipe.name).toBe(name);
  });

  it('keras says that its test images choose, and that its reducer does nothing', () => {
    const notes = recipeNotes(builtInRecipes.keras).join('\n');
    expect(notes).toContain('the test images are the validation images');
    expect(notes).toContain('ReduceLROnPlateau never affects training');
    const composed = recipeNotes(withSettings('keras', 'callbacks.2.combine=min', 'validation=holdout')).join('\n');
    expect(composed).toContain('the smaller of the schedule and what ReduceLROnPlateau leaves');
    expect(composed).not.toContain('test images are');
  });

  it('only keras lets the test images choose', () => {
    for (const name of recipeNames) expect(builtInRecipes[name].validation.kind === 'test').toBe(name === 'keras');
  });
});

describe('a recipe in parts', () => {
  it('extends another, object by object', () => {
    const recipe = resolveRecipe({ extends: 'he2015', name: 'mine', epochs: 3, optimizer: { nesterov: true } });
    expect(recipe).toEqual({
      ...builtInRecipes.he2015,
      name: 'mine',
      epochs: 3,
      optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
    });
  });

  it('of another kind has the defaults of that kind, not the settings of the old one', () => {
    const { optimizer, augmentation } = resolveRecipe({
      extends: 'he2015',
      optimizer: { kind: 'adamW', weightDecay: 0.01 },
      augmentation: { kind: 'shift' },
    });
    expect(optimizer).toEqual({
      kind: 'adamW',
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      weightDecay: 0.01,
      excludeFromWeightDecay: [],
    });
    expect(augmentation).toEqual({ kind: 'shift', range: 0.1, flip: true, interpolationOrder: 1 });
  });

  it('takes single settings by their path, one after the other', () => {
    const recipe = withSettings(
      'keras',
      'optimizer=sgd',
      'optimizer.momentum=0.8',
      'callbacks.1.patience=3',
      'callbacks.3={"kind":"CSVLogger","filename":"log.csv"}',
      'learningRate.warmUp.kind=linear',
      'learningRate.warmUp.by=epoch',
      'learningRate.warmUp.length=2',
      'name=mine',
    );
    expect(recipe.optimizer).toEqual({ kind: 'sgd', momentum: 0.8, nesterov: false });
    expect(recipe.callbacks[1]).toMatchObject({ kind: 'ReduceLROnPlateau', patience: 3, factor: Math.sqrt(0.1) });
    expect(recipe.callbacks[3]).toEqual({ kind: 'CSVLogger', filename: 'log.csv', separator: ',', append: false });
    expect(recipe.learningRate.warmUp).toEqual({ kind: 'linear', by: 'epoch', length: 2, from: 0 });
    expect(recipe.name).toBe('mine');
    expect(builtInRecipes.keras.callbacks).toHaveLength(3);
  });

  it('has shortcuts', () => {
    const none = changes({ epochs: 2, batchSize: 8, learningRate: 0.1, augment: false }, builtInRecipes.modern);
    expect(none).toEqual({
      ...builtInRecipes.modern,
      epochs: 2,
      batchSize: 8,
      learningRate: { kind: 'constant', rate: 0.1, warmUp: null },
      augmentation: { kind: 'none' },
    });
    expect(changes({ augment: true }, none).augmentation.kind).toBe('shift');
    expect(changes({ augment: true }, builtInRecipes.modern).augmentation.kind).toBe('crop');
    expect(changes({ learningRate: 'keras' }, none).learningRate).toEqual(builtInRecipes.keras.learningRate);
  });

  it('is compared setting by setting', () => {
    const other = withSettings('keras', 'optimizer.beta1=0.8', 'augmentation=none', 'epochs=3', 'name=other');
    expect(recipeDifferences(other, builtInRecipes.keras)).toEqual([
      { path: 'optimizer.beta1', present: 0.8, saved: 0.9 },
      { path: 'augmentation', present: { kind: 'none' }, saved: builtInRecipes.keras.augmentation },
    ]);
  });
});

describe('a wrong recipe', () => {
  it('is refused with every problem and its path', () => {
    const message = messageOf(() =>
      resolveRecipe({
        extends: 'keras',
        epochs: 0,
        batchsize: 3,
        optimizer: { kind: 'rmsprop' },
        learningRate: { boundaries: [5, 3], rates: [1, 2] },
        batchNorm: { momentum: 1 },
        augmentation: 'none',
        validation: { kind: 'holdout', size: 1.5 },
      }),
    );
    for (const part of [
      'this is no usable recipe: ',
      'epochs is 0, but must be a whole number of 1 or more',
      'batchsize is no setting of a recipe',
      "optimizer.kind is rmsprop, but must be 'adam' or 'adamW' or 'sgd'",
      'batchNorm.momentum is 1, but must be from 0 to below 1',
      'augmentation is none, but must be an object of settings',
      'validation.size is 1.5, but must be a whole number, or a share below 1',
    ]) {
      expect(message).toContain(part);
    }
    expect(messageOf(() => resolveRecipe({ name: 'short', epochs: 3 }))).toContain('batchSize is missing');
    const rates = { extends: 'keras', learningRate: { boundaries: [5, 3], rates: [1, 2] } };
    expect(messageOf(() => resolveRecipe(rates))).toContain(
      'learningRate.boundaries is [5,3], but must be in ascending order',
    );
    expect(messageOf(() => resolveRecipe(rates))).toContain('learningRate.rates is [1,2], but must be one longer');
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'a factor of 1',
      { kind: 'ReduceLROnPlateau', factor: 1 },
      'callbacks.0.factor is 1, but must be from 0 to below 1',
    ],
    [
      'a file outside the run',
      { kind: 'ModelCheckpoint', filepath: '../x.safetensors' },
      "callbacks.0.filepath is ../x.safetensors, but must be a path inside the run's folder",
    ],
    ['an absolute file', { kind: 'CSVLogger', filename: '/tmp/x.csv' }, "must be a path inside the run's folder"],
    [
      'a file of another kind',
      { kind: 'ModelCheckpoint', filepath: 'a.h5' },
      'must be a path that ends in .safetensors',
    ],
    ["the run's own file", { kind: 'CSVLogger', filename: 'history.csv' }, 'must be another name'],
    [
      'an unknown placeholder',
      { kind: 'ModelCheckpoint', filepath: '{val_acc:.2f}.safetensors' },
      'must be a path whose placeholders are of epoch, model, accuracy',
    ],
    [
      'an unknown format',
      { kind: 'ModelCheckpoint', filepath: '{epoch:x}.safetensors' },
      'must be a path whose placeholders are like {epoch:03d}',
    ],
    [
      'a metric without a direction',
      { kind: 'EarlyStopping', monitor: 'learning_rate' },
      "but must be one with mode 'min' or 'max', since its monitor is neither a loss nor an accuracy",
    ],
    [
      'an unknown callback',
      { kind: 'TensorBoard' },
      "callbacks.0.kind is TensorBoard, but must be 'ModelCheckpoint' or",
    ],
  ])('may be one with %s', (_what, callback, message) => {
    expect(messageOf(() => resolveRecipe({ extends: 'keras', callbacks: [callback] }))).toContain(message);
  });

  it('or one with two that restore weights, an unknown base, or no object', () => {
    const stopping = { kind: 'EarlyStopping', restoreBestWeights: true };
    expect(messageOf(() => resolveRecipe({ extends: 'keras', callbacks: [stopping, stopping] }))).toContain(
      'must be a list with one EarlyStopping that restores weights at most',
    );
    expect(messageOf(() => resolveRecipe('keras3'))).toContain("there is no recipe 'keras3'; there are keras, he2015");
    expect(messageOf(() => resolveRecipe([]))).toContain('it must be a JSON object');
    expect(messageOf(() => resolveRecipe({ extends: 'constructor' }))).toContain("there is no recipe 'constructor'");
  });

  it('or one with a setting that is none', () => {
    expect(messageOf(() => parseSetting('momentum'))).toContain("'momentum' is no setting");
    expect(messageOf(() => withSettings('keras', 'epochs.x=1'))).toContain(
      'there is no epochs.x: what is there is 200',
    );
    expect(messageOf(() => withSettings('keras', 'callbacks.9.patience=1'))).toContain('the list has entries 0 to 2');
    expect(messageOf(() => withSettings('keras', 'optimizer.lr=1'))).toContain(
      'optimizer.lr is no setting of a recipe',
    );
    expect(messageOf(() => withSettings('keras', 'constructor.name=1'))).toContain(
      'constructor is no setting of a recipe',
    );
    expect(messageOf(() => parseSetting('__proto__.x=1'))).toContain('is no setting');
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});
