import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { onnxWorkload } from '../lib/onnxruntime.mjs';
import { serve } from '../lib/serve.mjs';

/** ONNX Runtime's WebAssembly build in Node, its threads being workers. */
serve(['onnxruntime-web'], (job, data) => {
  env.wasm.numThreads = job.threads;
  const device = `wasm, ${job.threads} threads`;
  return onnxWorkload({ InferenceSession, Tensor }, { device, executionProviders: ['wasm'] }, job, data);
});
