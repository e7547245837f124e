import { evaluateModel, type Checkpoint, type Dataset, type Evaluation } from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import { openBackend, type BackendFlags } from '../backends.ts';
import { loadTestData } from '../data/load.ts';
import { checkFolderOf } from '../folder.ts';
import { note, printJson, printLine } from '../output.ts';
import { renderConfusion } from '../render/confusion.ts';
import { formatCount, formatPercent } from '../render/format.ts';
import { createProgress } from '../render/progress.ts';
import { openCheckpoint } from '../weights.ts';

export interface EvaluateFlags extends BackendFlags {
  readonly weights: string;
  readonly data?: string | undefined;
  readonly batch: number;
  readonly limit?: number | undefined;
  readonly savePredictions?: string | undefined;
  readonly json?: true | undefined;
}

/** `skiplane evaluate`. */
export async function evaluate(flags: EvaluateFlags): Promise<void> {
  const { weights, savePredictions, json } = flags;
  if (savePredictions !== undefined) checkFolderOf(savePredictions, '--save-predictions');
  const checkpoint = await openCheckpoint(weights);
  const data = await loadTestData(flags.data, flags.limit);
  warnOfOtherClasses(checkpoint.classNames, data.classNames);
  const evaluation = await measure(checkpoint, data, flags);
  if (savePredictions !== undefined) {
    await writeFileAtomic(savePredictions, `${[...evaluation.predictions].join('\n')}\n`);
  }
  const { model, classNames } = checkpoint;
  if (json) {
    const { loss, crossEntropy, accuracy, correct, count, confusion } = evaluation;
    printJson({ model: model.name, loss, crossEntropy, accuracy, correct, count, classNames, confusion });
    return;
  }
  printLine(`${model.name}, ${formatCount(evaluation.count)} test images of '${data.name}'`);
  print(evaluation, classNames);
  if (savePredictions !== undefined) printLine(`\nPredictions: '${savePredictions}'`);
}

async function measure(checkpoint: Checkpoint, data: Dataset, flags: EvaluateFlags): Promise<Evaluation> {
  const { model, parameters, preprocessing } = checkpoint;
  const progress = await createProgress();
  try {
    using backend = await openBackend(flags);
    const onProgress = (done: number, total: number): void =>
      progress.update(done / total, `${formatCount(done)} of ${formatCount(total)} images`);
    const batchSize = Math.min(flags.batch, data.count);
    return await evaluateModel({ backend, model, parameters, preprocessing, data, batchSize, onProgress });
  } finally {
    progress.done();
  }
}

function print({ loss, accuracy, correct, count, confusion }: Evaluation, classNames: readonly string[]): void {
  const share = `correct ${formatCount(correct)} of ${formatCount(count)}`;
  printLine(`loss ${loss.toFixed(4)}   accuracy ${formatPercent(accuracy)}   ${share}`);
  printLine();
  printLine(renderConfusion(confusion, classNames));
}

function warnOfOtherClasses(trained: readonly string[], given: readonly string[]): void {
  if (trained.join() === given.join()) return;
  note(`warning: the checkpoint was trained on other classes (${list(trained)}) than the data has (${list(given)}).`);
}

function list(classNames: readonly string[]): string {
  return classNames.length > 3 ? `${classNames.slice(0, 3).join(', ')}, …` : classNames.join(', ');
}
