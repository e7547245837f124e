import { ValueError } from '@skiplane/core';
import * as v from 'valibot';
import type { Dataset } from './data/dataset.ts';
import { createPreprocessing, type Preprocessing } from './data/preprocessing.ts';
import type { ModelShape } from './model.ts';

/** Ways to prepare images that have a name. */
export const preprocessingPresets = {
  'keras-mean': 'x/255 minus the mean image of the training set',
  unit: 'x/255',
  raw: '0 to 255 as they are',
  imagenet: "(x/255 − mean)/std with ImageNet's channels: mean 0.485 0.456 0.406, std 0.229 0.224 0.225",
  cifar: "(x/255 − mean)/std with CIFAR-10's channels: mean 0.4914 0.4822 0.4465, std 0.2471 0.2435 0.2616",
} as const;

export type PreprocessingPreset = keyof typeof preprocessingPresets;

/** x = (pixel·scale − mean)/std, with mean and std for all elements, for every channel, or for every element of an image. */
export interface PreprocessingNumbers {
  readonly scale?: number | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/** What says how to prepare images: a preset, numbers, or the real thing. */
export type PreprocessingInput = PreprocessingPreset | PreprocessingNumbers | Preprocessing;

const unit = 1 / 255;
const numbersOfPresets: Readonly<Record<Exclude<PreprocessingPreset, 'keras-mean'>, PreprocessingNumbers>> = {
  unit: { scale: unit },
  raw: { scale: 1 },
  imagenet: { scale: unit, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  cifar: { scale: unit, mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] },
};

const finite = v.pipe(v.number(), v.finite());
const values = v.pipe(v.array(finite), v.minLength(1));
/** {@link PreprocessingNumbers} as JSON. */
export const preprocessingNumbersSchema = v.strictObject({
  scale: v.optional(finite),
  mean: v.optional(values),
  std: v.optional(
    v.pipe(
      values,
      v.everyItem((value) => value > 0, 'a standard deviation must be greater than 0'),
    ),
  ),
});

/**
 * Preprocessing in words: the name of a preset, or JSON such as `{"scale":1,"mean":[127.5],"std":[127.5]}`.
 * @throws {ValueError} that lists the presets
 */
export function parsePreprocessing(text: string): PreprocessingPreset | PreprocessingNumbers {
  const name = text.trim();
  if (Object.hasOwn(preprocessingPresets, name)) return name as PreprocessingPreset;
  let json: unknown;
  try {
    json = JSON.parse(name);
  } catch {
    throw new ValueError(`preprocessing '${text}' is neither a preset nor JSON. ${howToSay()}`, { text });
  }
  const result = v.safeParse(preprocessingNumbersSchema, json);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'it'}: ${issue.message}`);
  throw new ValueError(`preprocessing '${text}' cannot be used: ${problems.join('; ')}. ${howToSay()}`, { problems });
}

/**
 * The preprocessing for a model's images.
 * @param train  the training images, which 'keras-mean' needs
 * @throws {ValueError} when there are neither 1, nor as many values as channels, nor as many as elements of an image
 */
export function resolvePreprocessing(input: PreprocessingInput, model: ModelShape, train?: Dataset): Preprocessing {
  if (input === 'keras-mean') {
    if (train === undefined) {
      throw new ValueError(
        "preprocessing 'keras-mean' subtracts the mean image of the training set: give the training images, or createPreprocessing(train) in place of the name.",
      );
    }
    return createPreprocessing(train);
  }
  const { scale = 1, mean = [0], std } = typeof input === 'string' ? numbersOfPresets[input] : input;
  return {
    scale,
    mean: everyElement('mean', mean, model),
    ...(std !== undefined && { std: everyElement('std', std, model) }),
  };
}

/** Lists the presets. */
export function missingPreprocessing({ name }: ModelShape): ValueError {
  return new ValueError(
    `how '${name}' wants its images prepared is not said in its file, and guessing would give wrong classes. ${howToSay()}`,
    { presets: Object.keys(preprocessingPresets) },
  );
}

function howToSay(): string {
  const presets = Object.entries(preprocessingPresets).map(([name, what]) => `  ${name.padEnd(11)} ${what}`);
  return `Say it (--preprocess, or the option 'preprocessing'):\n${presets.join('\n')}\n  or JSON     {"scale":…,"mean":[…],"std":[…]}, x = (pixel·scale − mean)/std`;
}

function everyElement(what: string, given: ArrayLike<number>, { name, imageSize, channels }: ModelShape): Float32Array {
  const [height, width] = imageSize;
  const size = height * width * channels;
  if (![1, channels, size].includes(given.length)) {
    throw new ValueError(
      `preprocessing has ${given.length} values of '${what}': ${name} takes images of ${height}×${width}×${channels}, so there must be 1, ${channels} or ${size}.`,
      { what, values: given.length },
    );
  }
  return Float32Array.from({ length: size }, (_, i) => given[i % given.length] as number);
}
