import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  inferenceGraph,
  InferenceProgram,
  modelConfig,
  parameterSpecs,
  TrainingStep,
  TrainingTensors,
} from '@skiplane/resnet';
import { readCase } from '../lib/case.mjs';
import { serve } from '../lib/serve.mjs';

serve(['@skiplane/resnet', '@skiplane/kernels-wasm', '@skiplane/kernels-gpu', 'webgpu'], async (job, data) => {
  const backend = job.driver
    ? await createGpuBackend({ software: job.driver })
    : await createWasmBackend({ threads: job.threads });
  const model = modelConfig(job.model);
  const workload = await (job.mode === 'training' ? training : inference)(backend, model, job, data);
  return { device: backend.info.device, ...workload };
});

/** The program as `predict` runs it, which folds batch norms itself. */
async function inference(backend, model, { batch, directory }, { images }) {
  const program = await InferenceProgram.compile(backend, model, inferenceGraph(model, { batch }));
  const { bound } = program;
  program.writeParameters(valuesOf(readCase(directory, 'training', batch).parameters));
  let logits;
  return {
    async run() {
      bound.write('x', images);
      await bound.program.run();
      logits = await bound.tensor('logits').read();
    },
    result: async () => logits,
  };
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

const valuesOf = (parameters) => new Map([...parameters].map(([name, { data }]) => [name, data]));
