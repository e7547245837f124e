import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { HistoryRecord, ModelConfig, Recipe, TrainingEnd } from '@skiplane/resnet';
import {
  curveOf,
  loadCheckpoint,
  readCard,
  readLog,
  runFiles,
  type CurvePoint,
  type ResultsCard,
} from '@skiplane/resnet/node';
import { CommandError } from '../errors.ts';
import { resultFiles } from './result-files.ts';
import { readEvaluation, type TestEvaluation } from './test-evaluation.ts';

/** What a report tells of a run: all that its folder says. */
export interface RunReport {
  /** The folder's name. */
  readonly name: string;
  readonly folder: string;
  readonly model: ModelConfig;
  readonly classNames: readonly string[];
  readonly recipe: Recipe;
  readonly seed: number;
  readonly curve: readonly CurvePoint[];
  readonly best: HistoryRecord | null;
  /** Null while training goes on. */
  readonly end: TrainingEnd | null;
  /** Of all processes of the run. */
  readonly seconds: number;
  /** What became of the test images one by one; null when nobody has looked. */
  readonly evaluation: TestEvaluation | null;
  readonly card: ResultsCard | null;
}

/** Reads a run's folder. @throws {CommandError} when it holds no run */
export async function readRun(folder: string): Promise<RunReport> {
  const { last } = runFiles(folder);
  if (!existsSync(last)) {
    throw new CommandError(
      `'${folder}' holds no run (no last.safetensors). Name the folder of a run of 'skiplane train'.`,
    );
  }
  const checkpoint = await loadCheckpoint(last);
  const { model, classNames, training } = checkpoint;
  if (training === null) {
    throw new CommandError(`'${folder}' holds no run: its last.safetensors has weights alone, and no history.`);
  }
  const { settings, best, end } = training;
  const { timings, seconds } = await readLog(folder, checkpoint);
  const card = join(folder, resultFiles.card);
  return {
    name: basename(resolve(folder)),
    folder,
    model,
    classNames,
    recipe: settings.recipe,
    seed: settings.seed,
    best,
    end,
    seconds,
    curve: curveOf(checkpoint, timings),
    evaluation: await readEvaluation(join(folder, resultFiles.evaluation), checkpoint),
    card: existsSync(card) ? await readCard(card) : null,
  };
}
