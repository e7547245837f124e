import { predictImages, type Prediction } from '@skiplane/resnet';
import { openBackend, type BackendFlags } from '../backends.ts';
import { CommandError, UsageError } from '../errors.ts';
import { collectPictures } from '../images/collect.ts';
import { decodePictures } from '../images/decode.ts';
import type { Fit } from '../images/fit.ts';
import { printJson, printLine } from '../output.ts';
import { openWeights, type WeightsFlags } from '../weights.ts';

export interface PredictFlags extends BackendFlags, WeightsFlags {
  readonly top: number;
  readonly fit: Fit;
  readonly json?: true | undefined;
}

/** `skiplane predict`. */
export async function predict(paths: readonly string[], flags: PredictFlags): Promise<void> {
  const { weights, top, fit, json } = flags;
  const { model, parameters, preprocessing, classNames } = await openWeights(flags);
  if (top > model.classes) {
    throw new UsageError(`option '--top' is ${top}, but '${weights}' knows only ${model.classes} classes.`);
  }
  if (model.channels !== 3) {
    throw new CommandError(`'${weights}' takes images of ${model.channels} channels; pictures are decoded to 3.`);
  }
  const pictures = await collectPictures(paths);
  const images = await decodePictures(pictures, model.imageSize, fit);
  using backend = await openBackend(flags);
  const results = await predictImages({ backend, model, parameters, preprocessing, classNames, images, topK: top });
  const named = pictures.map(({ name }, index) => ({ file: name, top: results[index] ?? [] }));
  if (json) printJson({ model: model.name, predictions: named });
  else for (const { file, top: classes } of named) print(file, classes);
}

function print(file: string, classes: readonly Prediction[]): void {
  printLine(file === '-' ? '(standard input)' : file);
  for (const { className, probability } of classes) {
    printLine(`  ${(probability * 100).toFixed(2).padStart(6)} %  ${className}`);
  }
}
