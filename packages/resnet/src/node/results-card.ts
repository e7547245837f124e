import { ValueError, type Backend } from '@skiplane/core';
import type { Checkpoint, TrainingState } from '../checkpoint/checkpoint.ts';
import { parametersIdentity } from '../checkpoint/identity.ts';
import { datasetIdentity, type Dataset } from '../data/dataset.ts';
import { cardFormat, cardVersion, type ResultsCard } from './card.ts';
import { loadCheckpoint } from './checkpoint-file.ts';
import { describeMachine } from './machine.ts';
import { readLog } from './run-directory.ts';
import { runFiles } from './run-files.ts';
import { curveOf } from './run-sink.ts';

/** What a run's folder does not say. */
export interface CardFacts {
  readonly backend: Pick<Backend, 'name' | 'info'>;
  /** As it was given to `train`. */
  readonly train: Dataset;
  readonly test: Dataset;
  readonly data: Pick<ResultsCard['data'], 'source' | 'limitTrain' | 'limitTest'>;
  readonly versions: Pick<ResultsCard['versions'], 'skiplane' | 'build'>;
}

/**
 * The results card of a run that has ended, out of its folder.
 * @throws {ValueError} when the run has not ended
 * @throws {StorageError} {FormatError} when its files cannot be read
 */
export async function resultsCard(folder: string, facts: CardFacts): Promise<ResultsCard> {
  const checkpoint = await loadCheckpoint(runFiles(folder).last);
  const { model, classNames, parameters, training } = checkpoint;
  if (training === null || !hasEnded(training)) {
    throw new ValueError(`'${folder}' has no results yet: its run has not ended; resume it first.`, { folder });
  }
  const { settings, epochsDone, best, end } = training;
  const { recipe, seed, evaluationBatchSize, imagesOn, lossScaling, parts } = settings;
  const { timings, seconds, devices } = await readLog(folder, checkpoint);
  const { name, info } = facts.backend;
  const { node, v8, ...machine } = describeMachine();
  return {
    format: cardFormat,
    version: cardVersion,
    model,
    recipe,
    seed,
    evaluationBatchSize,
    imagesOn,
    lossScaling,
    ...(parts !== undefined && { parts }),
    classNames,
    data: { ...facts.data, train: await identified(facts.train), test: await identified(facts.test) },
    result: {
      epochs: epochsDone,
      best,
      restoredEpoch: end?.restoredEpoch ?? null,
      test: end?.test ?? null,
      seconds,
      finished: new Date().toISOString(),
    },
    weights: { last: await parametersIdentity(parameters), best: best && (await bestIdentity(folder)) },
    curve: curveOf(checkpoint, timings),
    backend: {
      name,
      device: info.device,
      threads: info.threads,
      features: info.features,
      downgrades: info.downgrades,
      devices: devices.length === 0 ? [info.device] : devices,
    },
    machine,
    versions: { node, v8, ...facts.versions },
  };
}

function hasEnded({ epochsDone, position, callbacks, settings }: TrainingState): boolean {
  return position === 0 && (epochsDone === settings.recipe.epochs || callbacks.stopped);
}

async function bestIdentity(folder: string): Promise<string> {
  const { parameters }: Checkpoint = await loadCheckpoint(runFiles(folder).best);
  return parametersIdentity(parameters);
}

async function identified(data: Dataset): Promise<ResultsCard['data']['train']> {
  return { name: data.name, count: data.count, sha256: await datasetIdentity(data) };
}
