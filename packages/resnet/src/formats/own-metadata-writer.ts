import { sortedJson } from '../checkpoint/encode.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { PreprocessingNumbers } from '../preprocessing-input.ts';
import type { ImportedNetwork } from './model-file.ts';

/**
 * What others' formats have no place for, as JSON: the model with the names of its layers, the names of the classes, and the
 * preprocessing as `--preprocess` takes it, the values of an image row by row, its channels innermost.
 */
export function ownMetadata({
  model,
  classNames,
  preprocessing,
}: Pick<ImportedNetwork, 'model' | 'preprocessing'> & { readonly classNames: readonly string[] }): string {
  const numbers = preprocessing === null ? null : numbersOf(preprocessing, model.channels);
  return sortedJson({ model, classNames, preprocessing: numbers });
}

function numbersOf({ scale, mean, std }: Preprocessing, channels: number): PreprocessingNumbers {
  return { scale, mean: shortest(mean, channels), ...(std !== undefined && { std: shortest(std, channels) }) };
}

/** One value, one a channel, or all, with as many digits as float32 needs. */
function shortest(values: Float32Array, channels: number): readonly number[] {
  const period = [1, channels].find((length) => values.every((value, i) => value === values[i % length]));
  return Array.from(values.subarray(0, period ?? values.length), (value) => Number(value.toPrecision(9)));
}
