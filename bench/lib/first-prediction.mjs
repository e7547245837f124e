/** A process that loads weights and says what is on one image. */
import { readFile } from 'node:fs/promises';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { loadModel, Predictor } from '@skiplane/resnet/predict';

const [weights, threads] = process.argv.slice(2);
const [backend, loaded] = await Promise.all([
  createWasmBackend({ threads: Number(threads) }),
  readFile(weights).then((bytes) => loadModel(bytes)),
]);
const predictor = await Predictor.compile({ backend, ...loaded, batchSize: 1 });
const [prediction] = await predictor.predict(new Uint8Array(32 * 32 * 3));
console.log(`${prediction[0].className} ${prediction[0].probability}`);
backend.dispose();
