import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '@skiplane/core';
import {
  evaluateModel,
  parametersIdentity,
  worstMistakes,
  type Checkpoint,
  type Dataset,
  type EvaluateOptions,
} from '@skiplane/resnet';
import { loadCheckpoint, runFiles, writeFileAtomic } from '@skiplane/resnet/node';
import * as v from 'valibot';
import { pngOf } from '../images/encode.ts';
import { resultFiles } from './result-files.ts';

/** How many of the worst mistakes are kept. */
const mistakesKept = 24;

const evaluationSchema = v.object({
  /** What identifies the weights that were evaluated. */
  weights: v.string(),
  /** Of the data set. */
  name: v.string(),
  count: v.number(),
  loss: v.number(),
  accuracy: v.number(),
  /** confusion[label][prediction], in images. */
  confusion: v.array(v.array(v.number())),
  /** The wrong answers of the highest loss, the worst first. */
  mistakes: v.array(
    v.object({
      index: v.number(),
      label: v.number(),
      prediction: v.number(),
      /** Cross-entropy. */
      loss: v.number(),
      /** PNG in base64. */
      png: v.string(),
    }),
  ),
});

/** What became of the test images: `evaluation.json` in a run's folder. */
export type TestEvaluation = v.InferOutput<typeof evaluationSchema>;

/** Evaluates the last weights of a run on the test images, and keeps what became of them in its folder. */
export async function evaluateRun(
  folder: string,
  data: Dataset,
  backend: Backend,
  watch: Pick<EvaluateOptions, 'signal' | 'onProgress'>,
): Promise<TestEvaluation> {
  const evaluation = await evaluateTest(await loadCheckpoint(runFiles(folder).last), data, backend, watch);
  await writeFileAtomic(join(folder, resultFiles.evaluation), `${JSON.stringify(evaluation)}\n`);
  return evaluation;
}

/** Keeps the pictures of the worst mistakes. */
async function evaluateTest(
  { model, parameters, preprocessing, training }: Checkpoint,
  data: Dataset,
  backend: Backend,
  watch: Pick<EvaluateOptions, 'signal' | 'onProgress'>,
): Promise<TestEvaluation> {
  const l2 = training?.settings.recipe.l2;
  const options = { backend, model, parameters, preprocessing, data, l2, ...watch };
  const evaluation = await evaluateModel(options);
  const { loss, accuracy, count, confusion } = evaluation;
  const mistakes = worstMistakes(evaluation, data.labels, mistakesKept).map(async (mistake) => ({
    ...mistake,
    png: (await pngOf(data, mistake.index)).toString('base64'),
  }));
  return {
    weights: await parametersIdentity(parameters),
    name: data.name,
    count,
    loss,
    accuracy,
    confusion: confusion.map((row) => [...row]),
    mistakes: await Promise.all(mistakes),
  };
}

/** The evaluation in a file; null when there is none, or one of other weights than a checkpoint has now. */
export async function readEvaluation(path: string, { parameters }: Checkpoint): Promise<TestEvaluation | null> {
  const result = v.safeParse(evaluationSchema, await readJson(path));
  return result.success && result.output.weights === (await parametersIdentity(parameters)) ? result.output : null;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    // It is made again where it is missing or damaged.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      return null;
    throw error;
  }
}
