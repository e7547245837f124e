import type { Backend } from '@skiplane/core';
import { BoundProgram } from '../bound-program.ts';
import { BatchPreparer, batchBuffers } from '../data/batch-preparer.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import { addImages, inferenceOptions } from '../graphs/model-graph.ts';
import { addLayers } from '../layer-graph/add-layers.ts';
import type { Weighted } from '../layer-graph/fold-layers.ts';
import { inputName, type LayerGraph } from '../layer-graph/layer-graph.ts';
import { NetworkBuilder } from '../network-builder.ts';
import { Histogram } from './histogram.ts';

export interface CalibrationOptions {
  readonly backend: Backend;
  readonly preprocessing: Preprocessing;
  /** The images that the network is run on. */
  readonly data: Dataset;
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch with the number of images done. */
  readonly onProgress?: ((done: number, count: number) => void) | undefined;
}

/** Images at a time: every value that is looked at stays in memory. */
const calibrationBatch = 32;

const resultName = (layer: string): string => `calibration/${layer}`;

/** Runs a network in f32 over images, and counts the magnitudes of what the named layers give, or of the prepared images. */
export async function calibrate(
  { model, parameters }: Weighted<LayerGraph>,
  names: ReadonlySet<string>,
  { backend, preprocessing, data, signal, onProgress }: CalibrationOptions,
): Promise<ReadonlyMap<string, Histogram>> {
  const batch = Math.min(calibrationBatch, data.count);
  const net = new NetworkBuilder(`${model.name} calibration`, inferenceOptions(model));
  addLayers(net, addImages(net, model, batch), model, (name, value) => {
    if (names.has(name)) net.build.output(resultName(name), value);
  });
  const histograms = new Map([...names].map((name) => [name, new Histogram()]));
  using bound = await BoundProgram.compile(backend, net.build.build(), new Map());
  for (const { name } of net.parameters) bound.write(name, parameters.get(name) ?? new Float32Array(0));
  const batches = new BatchPreparer(data, preprocessing);
  const buffers = batchBuffers(data, batch);
  for (let from = 0; from < data.count; from += batch) {
    signal?.throwIfAborted();
    // Images of a last batch that is not full are counted twice.
    batches.prepare(null, Math.min(from, data.count - batch), batch, buffers, null);
    bound.write('x', buffers.images);
    await bound.program.run();
    for (const [name, histogram] of histograms) {
      histogram.add(
        name === inputName ? buffers.images : ((await bound.tensor(resultName(name)).read()) as Float32Array),
      );
    }
    onProgress?.(Math.min(from + batch, data.count), data.count);
  }
  return histograms;
}
