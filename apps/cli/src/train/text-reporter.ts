import {
  modelType,
  recipeNotes,
  type CallbackMessageEvent,
  type EndEvent,
  type EpochEvent,
  type ProgressEvent,
  type StartEvent,
  type TrainingMemory,
  type ValidationEvent,
} from '@skiplane/resnet';
import { runFiles } from '@skiplane/resnet/node';
import { note, printLine } from '../output.ts';
import { formatCount, formatDuration, formatPercent, formatRate } from '../render/format.ts';
import type { Progress } from '../render/progress.ts';
import { programName, shellQuote } from '../shell.ts';
import { describeRecipe } from './recipe.ts';
import type { Ending, Reporter } from './reporter.ts';

/** What was planned, and what it costs. */
function describeMemory(memory: TrainingMemory, batchSize: number): readonly string[] {
  const { parts, limitBytes, plannedBytes, arenaBytes, wholeArenaBytes, recomputedOps, recomputedShare } = memory;
  const cost =
    recomputedOps === 0
      ? 'nothing is recomputed'
      : `${formatCount(recomputedOps)} ops are done twice, ${formatPercent(recomputedShare)} more arithmetic`;
  return [
    `Memory: ${megabytes(plannedBytes)} planned, limit ${megabytes(limitBytes)}; values between ops ${megabytes(arenaBytes)} ` +
      `instead of ${megabytes(wholeArenaBytes)}: ${cost}`,
    ...(parts === 1 ? [] : [describeParts(parts, batchSize)]),
  ];
}

const describeParts = (parts: number, batchSize: number): string =>
  `  note: recomputation alone does not fit, so batches of ${batchSize} are trained in ${parts} parts of ${Math.ceil(batchSize / parts)} images: ` +
  'batch norms take the statistics of a part, and the numbers are others than those of whole batches';

const megabytes = (bytes: number): string => `${formatCount(bytes / 1e6)} MB`;

/** Lines as Keras prints them on stdout, and a live bar on stderr. */
export class TextReporter implements Reporter {
  readonly #progress: Progress;
  #epochs = 0;
  #steps = 0;
  /** To be compared with what is in use; null once it has been, and without a limit. */
  #plannedBytes: number | null = null;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  start(event: StartEvent): void {
    const { model, recipe, trainCount, validationCount, batchSize, epochs, steps, parameters, imagesOn, memory } =
      event;
    const { epoch, step, globalStep } = event;
    this.#epochs = epochs;
    this.#steps = steps;
    this.#plannedBytes = memory?.plannedBytes ?? null;
    printLine(
      `${modelType(model)}: ${formatCount(parameters.total)} parameters, ${formatCount(parameters.trainable)} trainable`,
    );
    const validated = `${formatCount(validationCount)} ${recipe.validation.kind === 'test' ? 'test' : 'validation'} samples`;
    const place = imagesOn === 'device' ? ', images on the device' : '';
    printLine(`${formatCount(trainCount)} train samples, ${validated}, batches of ${batchSize}${place}`);
    printLine(`Recipe: ${describeRecipe(recipe)}`);
    for (const text of recipeNotes(recipe)) printLine(`  note: ${text}`);
    if (memory !== null) describeMemory(memory, batchSize).forEach(printLine);
    if (globalStep > 0) printLine(`Going on in epoch ${epoch}/${epochs} after step ${step}/${steps}`);
  }

  progress({ epoch, step, steps, loss, accuracy, imagesPerSecond, secondsLeft }: ProgressEvent): void {
    const figures = `loss: ${loss.toFixed(4)} - accuracy: ${accuracy.toFixed(4)}`;
    const speed = `${formatRate(imagesPerSecond)} images/s - ${formatDuration(secondsLeft)} left`;
    this.#progress.update(step / steps, `${epoch}/${this.#epochs} - ${step}/${steps} - ${figures} - ${speed}`);
  }

  validation({ on, epoch, done, count }: ValidationEvent): void {
    const what = on === 'test' ? 'testing' : 'validating';
    this.#progress.update(done / count, `${epoch}/${this.#epochs} - ${what} ${done}/${count}`);
  }

  message({ level, text }: CallbackMessageEvent): void {
    this.#progress.clear();
    if (level === 'warning') note(`warning: ${text}`);
    else printLine(text);
  }

  /** The last lines of the example. */
  tested({ restoredEpoch, test }: EndEvent): void {
    this.#progress.clear();
    if (restoredEpoch !== null) {
      printLine(`Restoring model weights from the end of the best epoch: ${restoredEpoch}.`);
    }
    if (test === null) return;
    printLine(`Test loss: ${test.loss.toFixed(4)}`);
    printLine(`Test accuracy: ${test.accuracy.toFixed(4)}`);
  }

  epoch({ record, peakBytes }: EpochEvent): void {
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
        `learning_rate: ${Number(learningRate.toPrecision(4))}`,
        `${formatRate(imagesPerSecond)} images/s`,
        ...(left > 0 ? [`${formatDuration(left)} left`] : []),
      ].join(' - '),
    );
    this.#sayPeak(peakBytes);
  }

  #sayPeak(peakBytes: number | null): void {
    const planned = this.#plannedBytes;
    this.#plannedBytes = null;
    if (planned === null || peakBytes === null) return;
    const found = peakBytes === planned ? 'as planned' : `${formatCount(peakBytes - planned)} bytes more than planned`;
    printLine(`Memory: ${megabytes(peakBytes)} at the peak, ${found}`);
  }

  end({ result, folder, epochs, resumeCommand, report }: Ending): void {
    const { best, interrupted, checkpoint } = result;
    if (interrupted) {
      printLine(`Stopped with ${checkpoint.training?.epochsDone ?? 0} of ${epochs} epochs done. Go on with:`);
      printLine(`  ${resumeCommand}`);
      return;
    }
    if (report !== null) printLine(`Report: ${report}`);
    if (best === null) return;
    printLine(`Best: epoch ${best.epoch}, val_accuracy: ${best.valAccuracy.toFixed(4)}. Evaluate it with:`);
    printLine(`  ${programName()} evaluate --weights ${shellQuote(runFiles(folder).best)}`);
  }
}
