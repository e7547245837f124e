// Does all that a page of size.mjs is for, and prints the chunks that it has loaded: node page-run.mjs PAGE
import { pathToFileURL } from 'node:url';
import {
  createPreprocessing,
  encodeCheckpoint,
  initialParameters,
  modelConfig,
  syntheticDataset,
} from '@skiplane/resnet';

globalThis.loadedChunks = [];
await import(pathToFileURL(process.argv[2]).href);
const { page } = globalThis;

const data = syntheticDataset({ split: 'train', count: 8, seed: 1 });
const model = modelConfig('resnet8v1');
const parameters = initialParameters(model, 1);
const { classNames } = data;
const preprocessing = createPreprocessing(data);
const file = encodeCheckpoint({ model, parameters, classNames, preprocessing, training: null });

// Threads take the larger binary, and code for workers.
const backend = await page.createWasmBackend({ threads: 2 });
if (page.train !== undefined) await train();
const loaded = await page.loadModel(file);
if (page.evaluateModel !== undefined) await page.evaluateModel({ backend, ...loaded, data });
const predictor = await page.Predictor.compile({ backend, ...loaded, batchSize: 1 });
const [[best]] = await predictor.predict(data.images.subarray(0, data.images.length / data.count), 1);
if (!(best.probability > 0)) throw new Error('the page predicted nothing');
backend.dispose();
console.log(JSON.stringify(globalThis.loadedChunks));

async function train() {
  const run = page.train({
    backend,
    model: page.modelConfig('resnet8v1'),
    train: data,
    test: data,
    recipe: 'keras',
    epochs: 1,
    batchSize: 4,
    seed: 1,
  });
  let epochs = 0;
  for await (const { type } of run) if (type === 'epoch') epochs++;
  if (epochs !== 1) throw new Error(`the page trained ${epochs} epochs, not 1`);
}
