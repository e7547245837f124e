// Opens every layers model with TensorFlow.js (plain JavaScript): node check-tfjs.mjs FOLDER, where @tensorflow/tfjs is installed
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const tf = createRequire(join(process.cwd(), 'package.json'))('@tensorflow/tfjs');
const folder = process.argv[2] ?? '.';
const allowed = 1e-4;

const floats = (name) => new Float32Array(new Uint8Array(readFileSync(join(folder, `${name}.f32`))).buffer);

/** Reads the files as a browser would fetch them. */
function handler(path) {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  const [{ paths, weights }] = json.weightsManifest;
  const data = new Uint8Array(Buffer.concat(paths.map((name) => readFileSync(join(folder, name)))));
  return tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs: weights, weightData: data.buffer });
}

console.log(`tfjs ${tf.version.tfjs} on ${tf.getBackend()}`);
let worst = 0;
for (const [name, { shape }] of Object.entries(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')))) {
  const model = await tf.loadLayersModel(handler(join(folder, `${name}.json`)));
  const theirs = model.predict(tf.tensor(floats(`${name}.images`), shape)).dataSync();
  const ours = floats(`${name}.logits`);
  const largest = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])));
  worst = Math.max(worst, largest);
  console.log(`  ${name.padEnd(28)} ${largest.toExponential(1)}`);
}
console.log(`  largest difference: ${worst.toExponential(1)}`);
if (!(worst <= allowed)) throw new Error(`more than the ${allowed} that are allowed`);
