import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  initialParameters,
  modelConfig,
  parameterSpecs,
  syntheticDataset,
  TrainingStep,
  TrainingTensors,
} from '@skiplane/resnet';
import { expect, test } from 'vitest';

const megabyte = 1e6;

test('1,000 training steps do not grow memory', async () => {
  const batch = 4;
  const model = modelConfig('resnet8v1');
  const data = syntheticDataset({ count: 40, seed: 1, split: 'train' });
  const preparer = new BatchPreparer(data, createPreprocessing(data));
  const buffers = batchBuffers(data, batch);
  using backend = await createWasmBackend({ threads: 2 });
  using tensors = new TrainingTensors(backend, model.name, parameterSpecs(model), initialParameters(model, 1));
  using step = await TrainingStep.compile(backend, model, tensors, { batch });
  const resident: number[] = [];
  for (let i = 0; i < 1000; i++) {
    preparer.prepare(null, (i * batch) % data.count, batch, buffers, null);
    await step.run(buffers, 1e-3, i);
    if (i % 100 === 99) resident.push(process.memoryUsage().rss);
  }
  const [, afterWarmUp = 0] = resident;
  const growth = Math.max(...resident.slice(2)) - afterWarmUp;
  console.log(
    `resident memory every 100 steps, MB: ${resident.map((bytes) => (bytes / megabyte).toFixed(0)).join(' ')}`,
  );
  // What Node's own heap needs between collections; a leak of one batch a step would be 39 MB.
  expect(growth).toBeLessThan(20 * megabyte);
  expect((await tensors.readMetrics()).loss).toBeGreaterThan(0);
}, 120_000);
