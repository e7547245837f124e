// The networks that are written: ours, others', and one with a layer of every kind.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { foldLayers, initialParameters, modelConfig, parameterSpecs } from '@skiplane/resnet';
import { loadModel } from '@skiplane/resnet/node';

const root = fileURLToPath(new URL('../../', import.meta.url));
const weights = `${root}../shared/weights/`;
const fixtures = `${root}tools/foreign-weights/fixtures/`;

/** Numbers from −1 to 1 of a seed. */
export function numbers(count, seed) {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Parameters with moving statistics and biases that are not those of the start. */
function drawn(model) {
  const initial = initialParameters(model, 1);
  return new Map(
    parameterSpecs(model).map(({ name }, i) => {
      const start = initial.get(name);
      if (/\/(filter|kernel)$/.test(name)) return [name, start];
      const base = /\/(gamma|variance)$/.test(name) ? 1 : 0;
      return [name, numbers(start.length, i + 1).map((value) => base + value / 4)];
    }),
  );
}

const layer = (name, kind, inputs, attrs = {}) => ({ name, kind, inputs, attrs });
const pads = (top, bottom, left, right) => ({ top, bottom, left, right });

function everyKind() {
  const none = pads(0, 0, 0, 0);
  const pool = { size: [2, 2], strides: [1, 1] };
  const conv = { filters: 3, kernelSize: [3, 2], strides: [1, 1], bias: true, padding: pads(2, 0, 1, 0) };
  return {
    name: 'every kind',
    imageSize: [6, 6],
    channels: 2,
    classes: 4,
    output: 'last',
    layers: [
      layer('a/conv', 'conv2d', ['input'], conv),
      layer('a/norm', 'batchNorm', ['a/conv'], { epsilon: 1e-4 }),
      layer('a/relu', 'relu', ['a/norm']),
      layer('a/pool', 'maxPool', ['a/relu'], { ...pool, padding: pads(1, 1, 0, 1), strides: [2, 2] }),
      layer('same', 'averagePool', ['a/pool'], { ...pool, padding: pads(0, 1, 0, 1) }),
      layer('shift', 'bias', ['same']),
      layer('largest', 'maxPool', ['shift'], { ...pool, padding: none }),
      layer('mean', 'averagePool', ['shift'], { ...pool, padding: none }),
      layer('sum', 'add', ['largest', 'mean', 'largest']),
      layer('zeros', 'pad', ['sum'], { padding: pads(1, 0, 0, 2) }),
      layer('both', 'concat', ['zeros', 'zeros']),
      layer('wide', 'padChannels', ['both'], { before: 1, after: 2 }),
      layer('taken', 'subsample', ['wide'], { strides: [2, 1] }),
      layer('flat', 'flatten', ['taken']),
      layer('whole', 'globalAveragePool', ['taken']),
      layer('whole/flat', 'flatten', ['whole']),
      layer('hidden', 'dense', ['flat'], { units: 4, bias: false }),
      layer('other', 'dense', ['whole/flat'], { units: 4, bias: true }),
      layer('scores', 'add', ['hidden', 'other']),
      layer('last', 'bias', ['scores']),
    ],
  };
}

const own = (model) => ({ model, parameters: drawn(model) });

/** By the stem of its files: what is written. Weights that are not here are left out, with a word. */
export async function networks() {
  const all = {
    resnet20v1: own(modelConfig('resnet20v1')),
    'resnet20v1-folded': foldLayers(own(modelConfig('resnet20v1'))),
    resnet29v2: own(modelConfig('resnet29v2')),
    plain8: own(modelConfig('plain8')),
    'every-kind': own(everyKind()),
  };
  const others = {
    'small-keras': `${fixtures}small.keras`,
    timm: `${fixtures}timm.safetensors`,
    'option-a': `${weights}resnet20-12fca82f.th`,
    'vnn-comp': `${weights}vnncomp2021-resnet_2b.onnx`,
    mlcommons: `${weights}mlcommons-tiny-pretrainedResnet.h5`,
  };
  for (const [name, path] of Object.entries(others)) {
    if (existsSync(path)) all[name] = await loadModel(path, { preprocessing: 'unit' });
    else console.log(`left out: ${path} is not here`);
  }
  return all;
}
