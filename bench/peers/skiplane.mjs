import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { modelConfig, parameterSpecs, TrainingStep, TrainingTensors } from '@skiplane/resnet';
import { readCase } from '../lib/case.mjs';
import { serve } from '../lib/serve.mjs';
import { inferenceWorkload, valuesOf } from '../lib/skiplane.mjs';

serve(['@skiplane/resnet', '@skiplane/kernels-wasm', '@skiplane/kernels-gpu', 'webgpu'], async (job, data) => {
  const backend = job.driver
    ? await createGpuBackend({ software: job.driver })
    : await createWasmBackend({ threads: job.threads });
  const model = modelConfig(job.model);
  const workload = await (job.mode === 'training' ? training : inference)(backend, model, job, data);
  return { device: backend.info.device, ...workload };
});

function inference(backend, model, { batch, directory }, { images }) {
  const parameters = valuesOf(readCase(directory, 'training', batch).parameters);
  return inferenceWorkload(backend, { model, parameters }, batch, images);
}

async function training(backend, model, { batch }, { parameters, images, labels, constants }) {
  const tensors = new TrainingTensors(backend, model.name, parameterSpecs(model), valuesOf(parameters));
  const step = await TrainingStep.compile(backend, model, tensors, { batch });
  let count = 0;
  return {
    run: () => step.run({ images, labels }, constants.adam.learningRate, count++),
    /** Metrics are sums over the steps since the last read. */
    async result() {
      const { loss } = await tensors.readMetrics();
      tensors.zeroMetrics();
      return [loss / batch];
    },
  };
}
