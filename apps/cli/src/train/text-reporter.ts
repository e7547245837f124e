import { join } from 'node:path';
import {
  modelType,
  type EpochEvent,
  type ProgressEvent,
  type StartEvent,
  type ValidationEvent,
} from '@skiplane/resnet';
import { printLine } from '../output.ts';
import { formatCount, formatDuration, formatRate } from '../render/format.ts';
import type { Progress } from '../render/progress.ts';
import { programName, shellQuote } from '../shell.ts';
import type { Ending, Reporter } from './reporter.ts';

/** Lines as Keras prints them on stdout, and a live bar on stderr. */
export class TextReporter implements Reporter {
  readonly #progress: Progress;
  #epochs = 0;
  #steps = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  start(event: StartEvent): void {
    const {
      model,
      trainCount,
      validationCount,
      batchSize,
      epochs,
      steps,
      epoch,
      step,
      globalStep,
      parameters,
      imagesOn,
    } = event;
    this.#epochs = epochs;
    this.#steps = steps;
    printLine(
      `${modelType(model)}: ${formatCount(parameters.total)} parameters, ${formatCount(parameters.trainable)} trainable`,
    );
    printLine(
      `${formatCount(trainCount)} train samples, ${formatCount(validationCount)} test samples, batches of ${batchSize}${imagesOn === 'device' ? ', images on the device' : ''}`,
    );
    if (globalStep > 0) printLine(`Going on in epoch ${epoch}/${epochs} after step ${step}/${steps}`);
  }

  progress({ epoch, step, steps, loss, accuracy, imagesPerSecond, secondsLeft }: ProgressEvent): void {
    const figures = `loss: ${loss.toFixed(4)} - accuracy: ${accuracy.toFixed(4)}`;
    const speed = `${formatRate(imagesPerSecond)} images/s - ${formatDuration(secondsLeft)} left`;
    this.#progress.update(step / steps, `${epoch}/${this.#epochs} - ${step}/${steps} - ${figures} - ${speed}`);
  }

  validation({ epoch, done, count }: ValidationEvent): void {
    this.#progress.update(done / count, `${epoch}/${this.#epochs} - validating ${done}/${count}`);
  }

  epoch({ record }: EpochEvent): void {
    this.#progress.clear();
    const { epoch, loss, accuracy, valLoss, valAccuracy, learningRate, imagesPerSecond, seconds } = record;
    const left = seconds * (this.#epochs - epoch);
    printLine(
      [
        `Epoch ${epoch}/${this.#epochs}`,
        `${this.#steps}/${this.#steps}`,
        formatDuration(seconds),
        `loss: ${loss.toFixed(4)}`,
        `accuracy: ${accuracy.toFixed(4)}`,
        `val_loss: ${valLoss.toFixed(4)}`,
        `val_accuracy: ${valAccuracy.toFixed(4)}`,
        `learning_rate: ${learningRate}`,
        `${formatRate(imagesPerSecond)} images/s`,
        ...(left > 0 ? [`${formatDuration(left)} left`] : []),
      ].join(' - '),
    );
  }

  end({ result, folder, epochs, resumeCommand }: Ending): void {
    const { best, interrupted, checkpoint } = result;
    if (interrupted) {
      printLine(`Stopped with ${checkpoint.training?.epochsDone ?? 0} of ${epochs} epochs done. Go on with:`);
      printLine(`  ${resumeCommand}`);
      return;
    }
    if (best === null) return;
    printLine(`Best: epoch ${best.epoch}, val_accuracy: ${best.valAccuracy.toFixed(4)}. Evaluate it with:`);
    printLine(`  ${programName()} evaluate --weights ${shellQuote(join(folder, 'best.safetensors'))}`);
  }
}
