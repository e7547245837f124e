import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '@skiplane/core';
import {
  batchBuffers,
  BatchPreparer,
  evaluateModel,
  LayerProbe,
  type Checkpoint,
  type Dataset,
  type TrainEvent,
} from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import * as v from 'valibot';
import { CommandError, errorMessage } from '../errors.ts';
import type { OpenWatcher, Watcher } from '../train/train-run.ts';

/** Images of the batch that layers are measured on: the first training images, unchanged. */
const probeBatch = 64;

const fileName = 'measurements.json';

const layers = v.array(v.object({ layer: v.string(), response: v.number(), gradientNorm: v.number() }));

const schema = v.object({
  /** As each epoch ended. */
  epochs: v.array(v.object({ epoch: v.number(), layers })),
  /** Share of the training images, as they are, that the last weights get wrong; null before the end. */
  trainError: v.nullable(v.number()),
});

/** What a lab measures of a run, besides what every run keeps: `measurements.json` in its folder. */
export type Measurements = v.InferOutput<typeof schema>;

const nothing: Measurements = { epochs: [], trainError: null };

export async function readMeasurements(folder: string): Promise<Measurements> {
  const path = join(folder, fileName);
  if (!existsSync(path)) return nothing;
  try {
    return v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new CommandError(
      `'${path}' is damaged: ${errorMessage(error)} Delete the run's folder and run the lab again.`,
      {
        cause: error,
      },
    );
  }
}

/** Measures a run in a folder on its training images. */
export function measuring(folder: string, data: Dataset): OpenWatcher {
  return async (backend, { model, recipe: { batchNorm } }) => {
    const batch = Math.min(probeBatch, data.count);
    const probe = await LayerProbe.compile(backend, model, { batch, batchNorm });
    return new Measuring(folder, data, backend, probe, batch);
  };
}

class Measuring implements Watcher {
  readonly #folder: string;
  readonly #data: Dataset;
  readonly #backend: Backend;
  readonly #probe: LayerProbe;
  readonly #batch: number;

  constructor(folder: string, data: Dataset, backend: Backend, probe: LayerProbe, batch: number) {
    this.#folder = folder;
    this.#data = data;
    this.#backend = backend;
    this.#probe = probe;
    this.#batch = batch;
  }

  async see(event: TrainEvent): Promise<void> {
    if (event.type !== 'checkpoint') return;
    if (event.reason === 'epoch') await this.#epoch(event.checkpoint);
    else if (event.reason === 'end') await this.#end(event.checkpoint);
  }

  [Symbol.dispose](): void {
    this.#probe.dispose();
  }

  async #epoch({ parameters, preprocessing, training }: Checkpoint): Promise<void> {
    const epoch = training?.epochsDone ?? 0;
    if (preprocessing === null) throw new Error('a run has no preprocessing');
    const buffers = batchBuffers(this.#data, this.#batch);
    new BatchPreparer(this.#data, preprocessing).prepare(null, 0, this.#batch, buffers, null);
    const measured = await this.#probe.measure(parameters, buffers);
    // A process that was killed may have measured epochs that its last checkpoint does not know.
    const { epochs } = await readMeasurements(this.#folder);
    const kept = epochs.filter((one) => one.epoch < epoch);
    await this.#write({ epochs: [...kept, { epoch, layers: [...measured] }], trainError: null });
  }

  async #end({ model, parameters, preprocessing }: Checkpoint): Promise<void> {
    const { accuracy } = await evaluateModel({
      backend: this.#backend,
      model,
      parameters,
      preprocessing,
      data: this.#data,
    });
    await this.#write({ ...(await readMeasurements(this.#folder)), trainError: 1 - accuracy });
  }

  async #write(measurements: Measurements): Promise<void> {
    await writeFileAtomic(join(this.#folder, fileName), `${JSON.stringify(measurements)}\n`);
  }
}
