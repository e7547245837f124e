import { createWasmBackend } from '@skiplane/kernels-wasm';
import { createPreprocessing, modelConfig, quantizeModel } from '@skiplane/resnet';
import { caseDataset } from '../lib/case-dataset.mjs';
import { readCase } from '../lib/case.mjs';
import { serve } from '../lib/serve.mjs';
import { inferenceWorkload, valuesOf } from '../lib/skiplane.mjs';

/** The net as `skiplane quantize` makes it, with scales from the case's images. */
serve(['@skiplane/resnet', '@skiplane/kernels-wasm'], async (job, { images }) => {
  const backend = await createWasmBackend({ threads: job.threads });
  const parameters = valuesOf(readCase(job.directory, 'training', job.batch).parameters);
  const data = caseDataset();
  const preprocessing = createPreprocessing(data);
  const quantized = await quantizeModel(
    { model: modelConfig(job.model), parameters },
    { backend, preprocessing, data },
  );
  return { device: backend.info.device, ...(await inferenceWorkload(backend, quantized, job.batch, images)) };
});
