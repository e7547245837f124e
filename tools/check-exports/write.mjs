// Writes every network in every format, with images and the logits of the wasm backend: node write.mjs FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { inferenceGraph, InferenceProgram, modelConfig, syntheticDataset, train } from '@skiplane/resnet';
import { saveModel } from '@skiplane/resnet/node';
import { networks, numbers } from './networks.mjs';
import { oneStep } from './step.mjs';

const folder = process.argv[2] ?? '.';
mkdirSync(folder, { recursive: true });
const backend = await createWasmBackend();
const batch = 16;
const index = {};

for (const [name, { model, parameters, preprocessing = null }] of Object.entries(await networks())) {
  const classNames = Array.from({ length: model.classes }, (_, i) => `class ${i}`);
  for (const ending of ['safetensors', 'h5', 'keras', 'onnx', 'json'])
    await saveModel(join(folder, `${name}.${ending}`), { model, parameters, classNames, preprocessing });
  const shape = [batch, ...model.imageSize, model.channels];
  const images = numbers(
    shape.reduce((count, size) => count * size, 1),
    7,
  );
  save(`${name}.images`, images);
  save(`${name}.logits`, await logits(model, parameters, images));
  for (const [parameter, values] of parameters) save(`${name}.parameters.${parameter.replaceAll('/', '+')}`, values);
  index[name] = { shape, classes: model.classes, parameters: [...parameters.keys()] };
}
await trainingState();
writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
process.exit(0);

function save(name, values) {
  writeFileSync(join(folder, `${name}.f32`), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

async function logits(model, parameters, images) {
  const program = await InferenceProgram.compile(backend, model, inferenceGraph(model, { batch }), { fold: false });
  program.writeParameters(parameters);
  program.bound.write('x', images);
  await program.bound.program.run();
  const values = await program.bound.tensor('logits').read();
  program.dispose();
  return values;
}

/** A run that is interrupted, in both formats of Keras, and its parameters after one more step. */
async function trainingState() {
  const model = modelConfig('resnet8v1', { imageSize: [16, 16] });
  for (const [name, optimizer] of Object.entries({
    adam: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    sgd: { kind: 'sgd', momentum: 0.9, nesterov: false },
  })) {
    const options = { backend, model, train: data('train'), validation: data('test'), seed: 1, saveSeconds: 0 };
    const run = train({
      ...options,
      recipe: { extends: 'keras', optimizer },
      epochs: 2,
      batchSize: 32,
      augment: false,
    });
    let checkpoint = null;
    for await (const event of run) {
      if (event.type !== 'checkpoint' || event.checkpoint.training.step !== 4) continue;
      ({ checkpoint } = event);
      break;
    }
    for (const ending of ['h5', 'keras']) await saveModel(join(folder, `train-${name}.${ending}`), checkpoint);
    const next = await oneStep(backend, checkpoint, checkpoint.training.optimizer, 4, rateOf(checkpoint), optimizer);
    for (const [parameter, values] of next) save(`train-${name}.next.${parameter.replaceAll('/', '+')}`, values);
    const { images, labels } = next.batch;
    save(`train-${name}.images`, images);
    save(`train-${name}.labels`, labels);
  }
}

function data(split) {
  return syntheticDataset({ count: 96, seed: 1, split, size: 16 });
}

function rateOf({ training }) {
  return training.history.at(-1)?.learningRate ?? 1e-3;
}
