// Time and peak memory to load a network of 100 MB from every format: node measure.mjs FOLDER
// Each file is loaded in a process of its own; memory is what it has more at its peak than one that loads nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parameterSpecs } from '@skiplane/resnet';
import { loadModel, saveModel } from '@skiplane/resnet/node';
import { numbers } from './networks.mjs';

const [, script, folder = '.', file] = process.argv;
const runs = 5;

if (file === undefined) await measureAll();
else await measureOne();

async function measureOne() {
  const start = performance.now();
  const count = file === 'nothing' ? 0 : (await loadModel(file)).parameters.size;
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ count, seconds, peak: process.resourceUsage().maxRSS * 1024 }));
}

async function measureAll() {
  mkdirSync(folder, { recursive: true });
  const model = resnet50();
  const parameters = new Map(
    parameterSpecs(model).map(({ name, shape }, i) => [
      name,
      numbers(
        shape.reduce((count, size) => count * size, 1),
        i,
      ),
    ]),
  );
  const classNames = Array.from({ length: model.classes }, (_, i) => `class ${i}`);
  const empty = best('nothing').peak;
  console.log('| file | MB | seconds to write | seconds to load | memory at the peak, MB |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const ending of ['safetensors', 'h5', 'keras', 'onnx', 'json']) {
    const path = join(folder, `resnet50.${ending}`);
    const start = performance.now();
    const { paths } = await saveModel(path, { model, parameters, classNames, preprocessing: null });
    row(path, paths, ((performance.now() - start) / 1000).toFixed(2), empty);
  }
  // Not written here: put there by hand, they are measured too.
  for (const name of ['resnet50.pth', 'resnet50-torch.safetensors'])
    if (existsSync(join(folder, name))) row(join(folder, name), [join(folder, name)], '—', empty);
}

function megabytes(count) {
  return Math.round(count / 1e6);
}

function row(path, paths, written, empty) {
  const bytes = paths.reduce((sum, name) => sum + statSync(name).size, 0);
  const { seconds, peak } = best(path);
  console.log(
    `| ${basename(path)} | ${megabytes(bytes)} | ${written} | ${seconds.toFixed(2)} | ${megabytes(peak - empty)} |`,
  );
}

/** The fastest of some runs, and the smallest peak. */
function best(path) {
  const all = Array.from({ length: runs }, () =>
    JSON.parse(
      execFileSync(process.execPath, [fileURLToPath(new URL(`file://${script}`)), folder, path], { encoding: 'utf8' }),
    ),
  );
  return {
    seconds: Math.min(...all.map(({ seconds }) => seconds)),
    peak: Math.min(...all.map(({ peak }) => peak)),
  };
}

function pad(size) {
  return { top: size, bottom: size, left: size, right: size };
}

/** ResNet-50 for 224×224 images and 1,000 classes: 25.6 million parameters. */
function resnet50() {
  const layers = [];
  const add = (name, kind, inputs, attrs = {}) => {
    layers.push({ name, kind, inputs, attrs });
    return name;
  };
  const convNorm = (name, x, filters, size, stride) => {
    const attrs = { filters, kernelSize: [size, size], strides: [stride, stride], bias: false };
    const y = add(`${name}.conv`, 'conv2d', [x], { ...attrs, padding: pad(Math.floor(size / 2)) });
    return add(`${name}.bn`, 'batchNorm', [y], { epsilon: 1e-5 });
  };
  let y = add('relu', 'relu', [convNorm('stem', 'input', 64, 7, 2)]);
  y = add('pool', 'maxPool', [y], { size: [3, 3], strides: [2, 2], padding: pad(1) });
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    for (let block = 0; block < blocks; block++) {
      const name = `layer${stage + 1}.${block}`;
      const [stride, inner] = [stage > 0 && block === 0 ? 2 : 1, 64 * 2 ** stage];
      let z = add(`${name}.relu1`, 'relu', [convNorm(`${name}.1`, y, inner, 1, 1)]);
      z = add(`${name}.relu2`, 'relu', [convNorm(`${name}.2`, z, inner, 3, stride)]);
      z = convNorm(`${name}.3`, z, 4 * inner, 1, 1);
      const shortcut = block === 0 ? convNorm(`${name}.shortcut`, y, 4 * inner, 1, stride) : y;
      y = add(`${name}.relu3`, 'relu', [add(`${name}.add`, 'add', [z, shortcut])]);
    }
  }
  y = add('flatten', 'flatten', [add('mean', 'globalAveragePool', [y])]);
  y = add('fc', 'dense', [y], { units: 1000, bias: true });
  return { name: 'resnet50', imageSize: [224, 224], channels: 3, classes: 1000, layers, output: y };
}
