import type { Backend } from '@skiplane/core';
import { classResults, evaluateModel, type Dataset, type Evaluation, type LoadedModel } from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import { openBackend, type BackendFlags } from '../backends.ts';
import { loadTestData } from '../data/load.ts';
import { UsageError } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { note, printJson, printLine } from '../output.ts';
import { renderClasses } from '../render/classes.ts';
import { renderConfusion } from '../render/confusion.ts';
import { formatCount, formatPercent } from '../render/format.ts';
import { createProgress } from '../render/progress.ts';
import { openWeights, type WeightsFlags } from '../weights.ts';

export interface EvaluateFlags extends BackendFlags, WeightsFlags {
  readonly batch: number;
  readonly limit?: number | undefined;
  readonly top?: number | undefined;
  readonly flip?: true | undefined;
  readonly savePredictions?: string | undefined;
  readonly json?: true | undefined;
}

/** `skiplane evaluate`. */
export async function evaluate(flags: EvaluateFlags): Promise<void> {
  const { savePredictions, json } = flags;
  if (savePredictions !== undefined) checkFolderOf(savePredictions, '--save-predictions');
  const checkpoint = await openWeights(flags);
  checkTop(flags.top, checkpoint.classNames.length);
  using backend = await openBackend(flags);
  const data = await loadTestData(flags.data, flags.limit);
  warnOfOtherClasses(checkpoint.classNames, data.classNames);
  const evaluation = await measure(backend, checkpoint, data, flags);
  if (savePredictions !== undefined) {
    await writeFileAtomic(savePredictions, `${[...evaluation.predictions].join('\n')}\n`);
  }
  const { model, classNames } = checkpoint;
  if (json) {
    const { predictions: _, losses: __, ...figures } = evaluation;
    const perClass = classResults(evaluation.confusion, classNames);
    const recipe = checkpoint.training?.settings.recipe.name;
    printJson({ model: model.name, recipe, flip: flags.flip ?? false, ...figures, classNames, perClass });
    return;
  }
  const how = flags.flip ? ', with their mirror images' : '';
  printLine(`${model.name}, ${formatCount(evaluation.count)} test images of '${data.name}'${how}`);
  print(evaluation, classNames);
  if (savePredictions !== undefined) printLine(`\nPredictions: '${savePredictions}'`);
}

async function measure(
  backend: Backend,
  checkpoint: LoadedModel,
  data: Dataset,
  flags: EvaluateFlags,
): Promise<Evaluation> {
  const { model, parameters, preprocessing, training } = checkpoint;
  const { top: topK, flip } = flags;
  const l2 = training?.settings.recipe.l2;
  const progress = await createProgress();
  try {
    const onProgress = (done: number, total: number): void =>
      progress.update(done / total, `${formatCount(done)} of ${formatCount(total)} images`);
    const batchSize = Math.min(flags.batch, data.count);
    const options = { backend, model, parameters, preprocessing, data, batchSize, topK, flip, l2, onProgress };
    return await evaluateModel(options);
  } finally {
    progress.done();
  }
}

function print(evaluation: Evaluation, classNames: readonly string[]): void {
  const { loss, accuracy, correct, count, topK, confusion } = evaluation;
  const share = `correct ${formatCount(correct)} of ${formatCount(count)}`;
  printLine(`loss ${loss.toFixed(4)}   accuracy ${formatPercent(accuracy)}   ${share}`);
  if (topK !== null) {
    printLine(
      `top ${topK.k} accuracy ${formatPercent(topK.accuracy)}   ${formatCount(topK.correct)} of ${formatCount(count)}`,
    );
  }
  printLine();
  printLine(renderConfusion(confusion, classNames));
  printLine();
  printLine(renderClasses(classResults(confusion, classNames)));
}

function checkTop(top: number | undefined, classes: number): void {
  if (top !== undefined && top > classes) {
    throw new UsageError(`option '--top' is ${top}, but the checkpoint knows only ${classes} classes.`);
  }
}

function warnOfOtherClasses(trained: readonly string[], given: readonly string[]): void {
  if (trained.join() === given.join()) return;
  note(`warning: the checkpoint was trained on other classes (${list(trained)}) than the data has (${list(given)}).`);
}

function list(classNames: readonly string[]): string {
  return classNames.length > 3 ? `${classNames.slice(0, 3).join(', ')}, …` : classNames.join(', ');
}
