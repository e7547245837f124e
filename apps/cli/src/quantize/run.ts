import { statSync } from 'node:fs';
import {
  batchBuffers,
  BatchPreparer,
  evaluateModel,
  needPreprocessing,
  quantizeModel,
  takeDataset,
  type Dataset,
  type BatchBuffers,
  type Evaluation,
  type Preprocessing,
  type Weighted,
} from '@skiplane/resnet';
import { modelTarget, saveModel } from '@skiplane/resnet/node';
import prettyBytes from 'pretty-bytes';
import { openBackend, type BackendFlags } from '../backends.ts';
import { loadData } from '../data/load.ts';
import { errorMessage, UsageError } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { printJson, printLine } from '../output.ts';
import { formatCount, formatPercent, formatRate } from '../render/format.ts';
import { createProgress } from '../render/progress.ts';
import { renderTable } from '../render/table.ts';
import { openWeights } from '../weights.ts';
import { speeds } from './speed.ts';

export interface QuantizeFlags extends BackendFlags {
  readonly preprocess?: string | undefined;
  readonly data?: string | undefined;
  readonly calibrate: number;
  readonly limit?: number | undefined;
  readonly batch: number;
  readonly seconds: number;
  readonly json?: true | undefined;
}

/** `skiplane quantize`. */
export async function quantize(from: string, to: string, flags: QuantizeFlags): Promise<void> {
  checkTarget(to);
  if (flags.backend === 'gpu') {
    throw new UsageError(
      "the gpu backend has no kernels for int8, but '--backend' is gpu: choose wasm, or leave it out.",
    );
  }
  using backend = await openBackend(flags);
  const loaded = await openWeights({ weights: from, preprocess: flags.preprocess, data: flags.data });
  const { model, classNames } = loaded;
  const preprocessing = await needPreprocessing(model, loaded.preprocessing);
  const { train, test } = await loadData(flags.data, { train: flags.calibrate, test: flags.limit });
  const calibration = takeDataset(train, 0, Math.min(flags.calibrate, train.count));
  const progress = await createProgress();
  try {
    const show = (part: number, what: string) => (done: number, count: number) =>
      progress.update((part + done / count) / 3, `${what}: ${formatCount(done)} of ${formatCount(count)} images`);
    const quantized = await quantizeModel(loaded, {
      backend,
      preprocessing,
      data: calibration,
      onProgress: show(0, 'calibrating'),
    });
    const measure = (weighted: Weighted, part: number, what: string): Promise<Evaluation> => {
      const options = { ...weighted, backend, preprocessing, data: test, batchSize: Math.min(flags.batch, test.count) };
      return evaluateModel({ ...options, onProgress: show(part, what) });
    };
    const before = await measure(loaded, 1, 'as it was');
    const after = await measure(quantized, 2, 'in int8');
    const [speedBefore, speedAfter] = await speeds([loaded, quantized], {
      backend,
      batch: flags.batch,
      buffers: firstBatch(test, flags.batch, preprocessing),
      seconds: flags.seconds,
    });
    progress.clear();
    await saveModel(to, { ...quantized, classNames, preprocessing });
    const result: QuantizeResult = {
      from,
      to,
      model: model.name,
      device: backend.info.device,
      calibrationImages: calibration.count,
      testImages: test.count,
      data: test.name,
      batch: flags.batch,
      before: figures(before, from, speedBefore),
      after: figures(after, to, speedAfter),
      changedPredictions: before.predictions.filter((choice, i) => choice !== after.predictions[i]).length,
      speedup: speedAfter / speedBefore,
    };
    if (flags.json) printJson(result);
    else print(result);
  } finally {
    progress.done();
  }
}

interface Figures {
  readonly accuracy: number;
  readonly correct: number;
  readonly crossEntropy: number;
  readonly bytes: number;
  readonly imagesPerSecond: number;
}

interface QuantizeResult {
  readonly from: string;
  readonly to: string;
  readonly model: string;
  readonly device: string;
  readonly calibrationImages: number;
  readonly testImages: number;
  readonly data: string;
  readonly batch: number;
  readonly before: Figures;
  readonly after: Figures;
  /** Test images whose class is another one now. */
  readonly changedPredictions: number;
  readonly speedup: number;
}

function figures({ accuracy, correct, crossEntropy }: Evaluation, path: string, imagesPerSecond: number): Figures {
  return { accuracy, correct, crossEntropy, bytes: statSync(path).size, imagesPerSecond };
}

function firstBatch(data: Dataset, batch: number, preprocessing: Preprocessing): BatchBuffers {
  const buffers = batchBuffers(data, batch);
  new BatchPreparer(data, preprocessing).prepare(null, 0, Math.min(batch, data.count), buffers, null);
  return buffers;
}

function row(name: string, { accuracy, correct, crossEntropy, bytes, imagesPerSecond }: Figures): readonly string[] {
  return [
    name,
    formatPercent(accuracy),
    formatCount(correct),
    crossEntropy.toFixed(4),
    prettyBytes(bytes),
    formatRate(imagesPerSecond),
  ];
}

function print(result: QuantizeResult): void {
  const { model, to, before, after, testImages, calibrationImages, data, batch, changedPredictions, speedup } = result;
  printLine(
    `${model}: scales from ${formatCount(calibrationImages)} training images, measured on ${formatCount(testImages)} test images of '${data}'`,
  );
  printLine();
  printLine(
    renderTable({
      head: ['', 'Accuracy', 'Correct', 'Cross-entropy', 'File', 'Images/s'],
      align: ['left', 'right', 'right', 'right', 'right', 'right'],
      rows: [row('before', before), row('int8', after)],
    }),
  );
  printLine();
  printLine(`${formatCount(changedPredictions)} of ${formatCount(testImages)} predictions changed.`);
  printLine(`${speedup.toFixed(2)} times as fast at batch ${batch}. Written to '${to}'.`);
}

/** @throws {UsageError} when it is no checkpoint that can be written */
function checkTarget(to: string): void {
  let format: string;
  try {
    ({ format } = modelTarget(to));
  } catch (error) {
    throw new UsageError(errorMessage(error), { cause: error });
  }
  if (format !== 'skiplane-checkpoint') {
    throw new UsageError(
      `cannot write '${to}': int8 weights are kept in checkpoints alone, so the file must end in .safetensors.`,
    );
  }
  checkFolderOf(to, 'the file to be written');
}
