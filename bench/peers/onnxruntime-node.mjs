import ort from 'onnxruntime-node';
import { onnxWorkload } from '../lib/onnxruntime.mjs';
import { serve } from '../lib/serve.mjs';

/** ONNX Runtime's native build for the processor. */
serve(['onnxruntime-node'], (job, data) => {
  const options = { executionProviders: ['cpu'], intraOpNumThreads: job.threads, interOpNumThreads: 1 };
  return onnxWorkload(ort, { device: `native, ${job.threads} threads`, ...options }, job, data);
});
