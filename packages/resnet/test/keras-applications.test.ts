import { expect, test } from 'vitest';
import type { FileTensor } from '../src/formats/model-file.ts';
import { matchKerasWeights } from '../src/formats/keras-weights.ts';
import { countParameters, parameterSpecs } from '../src/index.ts';

const tensor = (name: string, ...shape: number[]): FileTensor => ({
  name,
  shape,
  dtype: 'float32',
  read: () => new Float32Array(0),
});

/** Names and shapes of the weights of `keras.applications.ResNet50`, 101 and 152, and of their second version. */
function weightsOf(units: readonly number[], version: 1 | 2, classes: number) {
  const layers: { layer: string; tensors: FileTensor[] }[] = [];
  const conv = (layer: string, size: number, inside: number, out: number, bias = true): void => {
    const kernel = tensor(`${layer}/kernel:0`, size, size, inside, out);
    layers.push({ layer, tensors: bias ? [kernel, tensor(`${layer}/bias:0`, out)] : [kernel] });
  };
  const norm = (layer: string, channels: number): void => {
    const roles = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
    layers.push({ layer, tensors: roles.map((role) => tensor(`${layer}/${role}:0`, channels)) });
  };
  conv('conv1_conv', 7, 3, 64);
  if (version === 1) norm('conv1_bn', 64);
  let inside = 64;
  units.forEach((count, stage) => {
    const filters = 64 * 2 ** stage;
    for (let unit = 1; unit <= count; unit++) {
      const block = `conv${stage + 2}_block${unit}`;
      if (version === 2) norm(`${block}_preact_bn`, inside);
      conv(`${block}_1_conv`, 1, inside, filters, version === 1);
      norm(`${block}_1_bn`, filters);
      conv(`${block}_2_conv`, 3, filters, filters, version === 1);
      norm(`${block}_2_bn`, filters);
      if (unit === 1) conv(`${block}_0_conv`, 1, inside, 4 * filters);
      if (unit === 1 && version === 1) norm(`${block}_0_bn`, 4 * filters);
      conv(`${block}_3_conv`, 1, filters, 4 * filters);
      if (version === 1) norm(`${block}_3_bn`, 4 * filters);
      inside = 4 * filters;
    }
  });
  if (version === 2) norm('post_bn', inside);
  if (classes > 0)
    layers.push({
      layer: 'predictions',
      tensors: [tensor('predictions/kernel:0', inside, classes), tensor('predictions/bias:0', classes)],
    });
  return layers;
}

const sizes = { 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3] } as const;

test.each([
  ['ResNet50', 50, 1, 25_636_712],
  ['ResNet101', 101, 1, 44_707_176],
  ['ResNet152', 152, 1, 60_419_944],
  ['ResNet50V2', 50, 2, 25_613_800],
  ['ResNet101V2', 101, 2, 44_675_560],
  ['ResNet152V2', 152, 2, 60_380_648],
] as const)('weights of %s alone are known, by their names and by their order', (name, depth, version, parameters) => {
  const layers = weightsOf(sizes[depth], version, 1000);
  const { model } = matchKerasWeights(layers);
  expect(model).toMatchObject({ name, imageSize: [224, 224], classes: 1000 });
  expect(countParameters(parameterSpecs(model)).total).toBe(parameters);
  const numbered = layers.map(({ tensors }, i) => ({ layer: `layer_${i}`, tensors }));
  expect(matchKerasWeights(numbered).model).toEqual(model);
});

test('one error says what is wrong with them', () => {
  const layers = weightsOf(sizes[50], 1, 1000);
  expect(() => matchKerasWeights(weightsOf(sizes[50], 1, 0))).toThrow('the weights of ResNet50 without its top');
  const renamed = layers.map((item) => (item.layer === 'conv1_bn' ? { ...item, layer: 'bn_conv1' } : item));
  expect(() => matchKerasWeights(renamed)).toThrow("weights of 'bn_conv1', which is none of its layers");
  const [first, ...rest] = layers;
  const wide = { layer: 'conv1_conv', tensors: [tensor('kernel', 7, 7, 3, 32), tensor('bias', 32)] };
  expect(first?.layer).toBe('conv1_conv');
  expect(() => matchKerasWeights([wide, ...rest])).toThrow("'conv1_conv/filter' is [7,7,3,32], but the layer needs");
});
