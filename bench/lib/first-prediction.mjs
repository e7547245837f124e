/** A process that loads weights and says what is on one image. */
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { Predictor } from '@skiplane/resnet';
import { loadModel } from '@skiplane/resnet/node';

const [weights, threads] = process.argv.slice(2);
const [backend, loaded] = await Promise.all([createWasmBackend({ threads: Number(threads) }), loadModel(weights)]);
const predictor = await Predictor.compile({ backend, ...loaded, batchSize: 1 });
const [prediction] = await predictor.predict(new Uint8Array(32 * 32 * 3));
console.log(`${prediction[0].className} ${prediction[0].probability}`);
backend.dispose();
