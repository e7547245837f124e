// Reads what Keras saved after its step, and goes on: node read.mjs FOLDER
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { modelConfig } from '@skiplane/resnet';
import { loadModel } from '@skiplane/resnet/node';
import { oneStep } from './step.mjs';

const folder = process.argv[2] ?? '.';
const backend = await createWasmBackend();
for (const name of ['adam', 'sgd']) {
  for (const ending of ['h5', 'keras']) {
    const loaded = await loadModel(join(folder, `train-${name}.saved.${ending}`));
    const { settings, learningRate, step, state } = loaded.optimizer;
    const own = { model: modelConfig('resnet8v1', { imageSize: [16, 16] }), parameters: renamed(loaded.parameters) };
    const slots = Object.fromEntries(Object.entries(state).map(([slot, values]) => [slot, renamed(values)]));
    const next = await oneStep(backend, own, slots, step, learningRate, settings);
    let largest = 0;
    for (const [parameter, values] of next) {
      const bytes = readFileSync(join(folder, `train-${name}.second.${parameter.replaceAll('/', '+')}.f32`));
      const theirs = new Float32Array(new Uint8Array(bytes).buffer);
      values.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - theirs[i]))));
    }
    console.log(
      `a step from Keras's ${name} state (.${ending}, step ${step}): largest difference of a parameter ${largest.toExponential(1)}`,
    );
  }
}
process.exit(0);

/** Keras drops our metadata, and its layers have dots in their names: the family's names are put back. */
function renamed(values) {
  return new Map([...values].map(([name, data]) => [name.replaceAll('.', '/'), data]));
}
